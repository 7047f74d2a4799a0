use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn resolve_with(spec: &Spec, variables: &[(&str, &str)]) -> Result<Options> {
    let variables: Vec<(String, String)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    spec.resolve(&move |name| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
}

fn target(text: &str) -> Spec {
    Spec { target: Some(text.to_owned()), ..Spec::default() }
}

fn resolve(text: &str, variables: &[(&str, &str)]) -> Result<Options> {
    let mut all = vec![("HOME", "/nonexistent")];
    all.extend_from_slice(variables);
    resolve_with(&target(text), &all)
}

fn passwords(options: &Options) -> Vec<Option<&str>> {
    options.hosts.iter().map(|host| host.password.as_ref().map(Secret::expose)).collect()
}

#[test]
fn target_wins_over_flags_over_service_over_environment() {
    let folder = tempfile::tempdir().unwrap();
    let services = folder.path().join("services");
    std::fs::write(&services, "[shop]\nhost=service\nport=3\nuser=service\nconnect_timeout=3\n").unwrap();
    let spec = Spec {
        target: Some("postgresql://url/db".to_owned()),
        host: Some("flag".to_owned()),
        port: Some("2".to_owned()),
        ..Spec::default()
    };
    let environment = [
        ("PGSERVICE", "shop"),
        ("PGSERVICEFILE", services.to_str().unwrap()),
        ("PGHOST", "env"),
        ("PGPORT", "4"),
        ("PGUSER", "env"),
        ("PGDATABASE", "env"),
        ("PGAPPNAME", "env"),
        ("PGCONNECT_TIMEOUT", "4"),
    ];
    let options = resolve_with(&spec, &environment).unwrap();
    assert_eq!(options.describe(), "database \"db\" on url:2 as \"service\"");
    assert_eq!(options.connect_timeout, Some(Duration::from_secs(3)));
    assert_eq!(options.application_name, "env");
}

#[test]
fn pairs_hosts_with_ports_and_addresses() {
    let options = resolve("postgresql://a,b:2,[::1]/db?user=u", &[]).unwrap();
    assert_eq!(options.describe(), "database \"db\" on a:5432, b:2, ::1:5432 as \"u\"");
    let options = resolve("host=a,/run/x,@y port=7 user=u hostaddr=", &[]).unwrap();
    assert_eq!(options.describe(), "database \"u\" on a:7, /run/x/.s.PGSQL.7, @y/.s.PGSQL.7 as \"u\"");
    let options = resolve("host=a hostaddr=10.0.0.1 user=u", &[]).unwrap();
    assert_eq!(options.describe(), "database \"u\" on a (10.0.0.1):5432 as \"u\"");
    for (text, message) in [
        ("host=a,b,c port=1,2", "there are 2 ports and 3 hosts"),
        ("host=a,b hostaddr=10.0.0.1", "there are 2 host names and 1 hostaddr value"),
        ("host=a port=0", "invalid port value"),
        ("host=a port=70000", "invalid port value"),
        ("host=a port=x", "invalid port value"),
        ("hostaddr=a", "invalid hostaddr value: \"a\""),
        ("sslmode=maybe", "invalid sslmode value: \"maybe\""),
        ("connect_timeout=soon", "invalid connect_timeout value: \"soon\""),
        ("sslrootcert=system sslmode=require", "a weak sslmode may not be used with sslrootcert=system"),
        ("sslnegotiation=direct", "a weak sslmode may not be used with sslnegotiation=direct"),
        ("gssencmode=require", "connection parameter \"gssencmode=require\" is not supported"),
        ("sslmode=verify-ca sslrootcert=/none", "root certificate file \"/none\" does not exist"),
    ] {
        assert_eq!(resolve(&format!("user=u {text}"), &[]).err().unwrap().message(), message, "{text}");
    }
    let error = resolve("user=u", &[("PGREQUIREAUTH", "scram-sha-256")]).err().unwrap();
    assert_eq!(error.message(), "connection parameter \"require_auth\" is not supported");
}

#[test]
fn takes_the_password_from_the_settings_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".pgpass");
    std::fs::write(&file, "a:5432:db:u:of-a\nlocalhost:5432:db:u:of-socket\n/run/x:*:*:*:of-x\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let home = [("HOME", folder.path().to_str().unwrap())];
    let options = resolve_with(&target("host=a,b,/var/run/postgresql,/run/x user=u dbname=db"), &home).unwrap();
    assert_eq!(passwords(&options), [Some("of-a"), None, Some("of-socket"), Some("of-x")]);
    let options = resolve_with(&target("user=u dbname=db"), &home).unwrap();
    assert_eq!(passwords(&options), [Some("of-socket")]);
    let options = resolve_with(&target("postgresql://u:url@a/db"), &home).unwrap();
    assert_eq!(passwords(&options), [Some("url")]);
    let with_variable = [home[0], ("PGPASSWORD", "variable")];
    let options = resolve_with(&target("postgresql://u@a/db"), &with_variable).unwrap();
    assert_eq!(passwords(&options), [Some("variable")]);
    let with_passfile = [("PGPASSFILE", file.to_str().unwrap()), ("HOME", "/nonexistent")];
    let options = resolve_with(&target("postgresql://u@a/db"), &with_passfile).unwrap();
    assert_eq!(passwords(&options), [Some("of-a")]);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let options = resolve_with(&target("postgresql://u@a/db"), &with_passfile).unwrap();
    assert_eq!(passwords(&options), [None]);
    assert!(options.warnings[0].contains("has group or world access"), "{:?}", options.warnings);
}

#[test]
fn a_password_is_refused_only_on_the_command_line() {
    for (text, origin, refused) in [
        ("postgresql://u:p@a/db", Origin::Argument, true),
        ("postgresql://u@a/db?password=p", Origin::Argument, true),
        ("dbname=db password=p", Origin::Argument, true),
        ("postgresql://u@a/db", Origin::Argument, false),
        ("db", Origin::Argument, false),
        ("postgresql://u:p@a/db", Origin::Environment, false),
        ("postgresql://u:p@a/db", Origin::File, false),
    ] {
        let spec = Spec { origin: Some(origin), ..target(text) };
        let answer = spec.refuse_password_on_command_line();
        assert_eq!(answer.is_err(), refused, "{text} {origin:?}");
        if let Err(error) = answer {
            assert_eq!(error.kind(), ErrorKind::Usage);
            for way in [".pgpass", "PGPASSWORD", "DATABASE_URL"] {
                assert!(error.to_string().contains(way), "{error}");
            }
        }
    }
}

#[test]
fn trusts_as_libpq_does() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap().to_owned();
    let own = folder.path().join(".postgresql");
    let tls = |text: &str| resolve_with(&target(&format!("user=u {text}")), &[("HOME", home.as_str())]).unwrap().tls;
    assert_eq!(tls("").mode, SslMode::Prefer);
    assert_eq!(tls("sslmode=require").roots, Roots::Unchecked);
    assert_eq!(tls("sslrootcert=system").mode, SslMode::VerifyFull);
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("root.crt"), "").unwrap();
    assert_eq!(tls("sslmode=require").roots, Roots::File(own.join("root.crt")));
    assert_eq!(tls("sslmode=require sslrootcert=/none").roots, Roots::Unchecked);
    assert_eq!(tls("").identity, None);
    std::fs::write(own.join("postgresql.crt"), "").unwrap();
    assert_eq!(tls("").identity, Some((own.join("postgresql.crt"), own.join("postgresql.key"))));
    assert_eq!(tls("sslcertmode=disable").identity, None);
}
