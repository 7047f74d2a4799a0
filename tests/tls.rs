//! TLS with certificates as people have them, made by openssl and given to a real server: we connect where libpq does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pgproof::error::{ErrorKind, Result};
use pgproof::server::{Connection, Setup, Spec, set_up};

use super::support::bin::db;
use super::support::pg::{any_server, shared_folder};
use super::support::repository;
use super::support::store::Bucket;

/// A server of the test's own, whose certificate may be changed.
struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
}

impl Cluster {
    fn start() -> Self {
        let found =
            Command::new(repository().join("scripts/pg")).args(["bin", "15"]).output().expect("scripts/pg runs");
        assert!(found.status.success(), "PostgreSQL 15 has its programs on this machine");
        let programs = PathBuf::from(String::from_utf8(found.stdout).expect("UTF-8").trim());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let cluster = Self { folder: shared_folder(), programs, port };
        open_to_all(cluster.folder.path());
        cluster.run("initdb", &["-D", &cluster.data(), "-U", "postgres", "-A", "trust", "--locale=C", "--no-sync"]);
        fs::write(
            cluster.folder.path().join("data/pg_hba.conf"),
            "host all clear 127.0.0.1/32 password\nhost all scram 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n",
        )
        .expect("the file can be written");
        cluster.install(&make(cluster.folder.path(), "first", &["req x509 rsa:2048"]));
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c ssl=on -c fsync=off -c max_connections=20"
        );
        let log = cluster.folder.path().join("data/log");
        let log = log.to_str().expect("UTF-8");
        cluster.run("pg_ctl", &["-D", &cluster.data(), "-w", "-o", &options, "-l", log, "start"]);
        cluster
    }

    fn data(&self) -> String {
        self.folder.path().join("data").to_str().expect("UTF-8").to_owned()
    }

    /// A server's program, as the user that the server runs as.
    fn run(&self, program: &str, args: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        // a server that is started keeps what it is given
        let quiet =
            command.args(args).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(quiet.status().expect("it can be run").success(), "{} {args:?}", program.display());
    }

    /// What libpq makes of these settings: whether the session is encrypted, or nothing.
    fn libpq(&self, settings: &str) -> Option<String> {
        let target = self.target(settings);
        let output = any_server().run("psql", &["-XAtq", "-d", &target, "-c", SSL]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn target(&self, settings: &str) -> String {
        format!("host=localhost hostaddr=127.0.0.1 port={} dbname=postgres user=postgres {settings}", self.port)
    }

    async fn ours(&self, settings: &str) -> Result<String> {
        let spec = Spec { target: Some(self.target(settings)), ..Spec::default() };
        let mut connection = Connection::connect(&spec.resolve(&|_| None)?).await?;
        let row = connection.query_one(SSL, &[]).await?;
        connection.close().await;
        Ok(row.text("ssl").expect("a column").to_owned())
    }

    fn sql(&self, statements: &[&str]) {
        for statement in statements {
            let target = self.target("sslmode=disable");
            any_server().stdout("psql", &["-XAtq", "-d", &target, "-c", statement]);
        }
    }

    /// Gives the server another certificate; new sessions get it.
    fn install(&self, made: &Made) {
        use std::os::unix::fs::PermissionsExt as _;
        for (from, to) in [(&made.certificate, "server.crt"), (&made.key, "server.key")] {
            let path = self.folder.path().join("data").join(to);
            drop(fs::remove_file(&path));
            fs::copy(from, &path).expect("the file can be copied");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
            if rustix::process::geteuid().is_root() {
                let owner = Command::new("chown").arg("postgres").arg(&path).status();
                assert!(owner.expect("chown runs").success());
            }
        }
    }

    /// Waits until the server has read its files again.
    fn reload(&self, newest: &str) {
        let set = format!("alter system set ssl_max_protocol_version = '{newest}'");
        let loaded = any_server()
            .stdout("psql", &["-XAtq", "-d", &self.target("sslmode=disable"), "-c", "select pg_conf_load_time()"]);
        self.sql(&[&set, "select pg_reload_conf()"]);
        for _ in 0..100 {
            let now = any_server()
                .stdout("psql", &["-XAtq", "-d", &self.target("sslmode=disable"), "-c", "select pg_conf_load_time()"]);
            if now != loaded {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("the server does not load its settings");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
    }
}

const SSL: &str = "select ssl from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()";

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("it is ours");
}

/// A server's certificate and key, and what its clients trust.
struct Made {
    certificate: PathBuf,
    key: PathBuf,
    root: PathBuf,
}

/// Makes certificates by openssl, from the root to the server's. A step is what its kind and key are:
/// `KIND VERSION KEY`, where KIND is `ca`, `leaf`, `client` (a leaf for clients only), `plain` (no extensions at all),
/// `authority` (a leaf that is marked as an authority), `named` and `numbered` (leaves for other hosts), `strange` (with a critical extension that nobody knows), `old` (a leaf
/// that has expired) or `req` (signed by itself as `openssl req -x509` does it); VERSION is x509 or v1.
fn make(folder: &Path, name: &str, steps: &[&str]) -> Made {
    let folder = folder.join(name);
    fs::create_dir_all(&folder).expect("a folder");
    let openssl = |args: &[&str]| {
        let output = Command::new("openssl").args(args).current_dir(&folder).output().expect("openssl runs");
        assert!(output.status.success(), "openssl {args:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    };
    let mut chain = String::new();
    for (index, step) in steps.iter().enumerate() {
        let words: Vec<&str> = step.split(' ').collect();
        let (kind, version, key) = (words[0], words[1], words[2]);
        let is_last = index + 1 == steps.len();
        let (own, issuer) = (format!("c{index}"), format!("c{}", index.wrapping_sub(1)));
        let subject = if is_last { "/CN=localhost".to_owned() } else { format!("/CN=authority {index} of {name}") };
        let new_key: Vec<&str> = match key.split_once('/').map_or(key, |(key, _)| key) {
            "p256" => vec!["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
            "p384" => vec!["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
            "p521" => vec!["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"],
            "rsa-pss" => vec!["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
            "secp256k1" => vec!["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
            other => vec!["-newkey", other],
        };
        let digest = key.split_once('/').map(|(_, digest)| format!("-{digest}"));
        let extensions = match kind {
            "ca" => "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n",
            "leaf" | "old" => "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n",
            "client" => "extendedKeyUsage=clientAuth\nsubjectAltName=DNS:localhost\n",
            "authority" => "basicConstraints=critical,CA:TRUE\nsubjectAltName=DNS:localhost\n",
            "named" => "subjectAltName=DNS:db.example.com,DNS:*.example.net\n",
            "numbered" => "subjectAltName=IP:10.1.2.3\n",
            "strange" => "1.2.3.4=critical,ASN1:UTF8String:strange\nsubjectAltName=DNS:localhost\n",
            _ => "",
        };
        let (crt, csr, pem) = (format!("{own}.crt"), format!("{own}.csr"), format!("{own}.key"));
        if kind == "req" {
            let mut args = vec![
                "req", "-new", "-x509", "-days", "365", "-nodes", "-subj", &subject, "-keyout", &pem, "-out", &crt,
            ];
            args.extend(&new_key);
            openssl(&args);
        } else {
            let mut args = vec!["req", "-new", "-nodes", "-subj", &subject, "-keyout", &pem, "-out", &csr];
            args.extend(&new_key);
            openssl(&args);
            fs::write(folder.join("ext"), extensions).expect("the folder is ours");
            let mut args = vec!["x509", "-req", "-in", &csr, "-out", &crt];
            args.extend(if kind == "old" { ["-days", "0"] } else { ["-days", "365"] });
            let (ca, ca_key) = (format!("{issuer}.crt"), format!("{issuer}.key"));
            if index == 0 {
                args.extend(["-signkey", &pem]);
            } else {
                args.extend(["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"]);
            }
            if version != "v1" {
                args.extend(["-extfile", "ext"]);
            }
            args.extend(digest.as_deref());
            openssl(&args);
            if kind == "old" {
                // it is good for no second
                std::thread::sleep(std::time::Duration::from_secs(2));
            }
        }
        let text = fs::read_to_string(folder.join(&crt)).expect("a certificate");
        if index > 0 || is_last {
            chain = format!("{text}{chain}");
        }
    }
    let certificate = folder.join("server.crt");
    fs::write(&certificate, chain).expect("the folder is ours");
    let (root, key) = (folder.join("c0.crt"), folder.join(format!("c{}.key", steps.len() - 1)));
    Made { certificate, key, root }
}

const CASES: [(&str, &[&str]); 24] = [
    ("as the documentation's short recipe", &["req x509 rsa:2048"]),
    ("as the documentation's long recipe", &["ca x509 rsa:2048", "plain v1 rsa:2048"]),
    ("version 1, its own root", &["plain v1 rsa:2048"]),
    ("P-521, its own root", &["req x509 p521"]),
    ("P-521 of a P-521 authority", &["ca x509 p521/sha512", "leaf x509 p521/sha512"]),
    ("P-521 with SHA-256", &["ca x509 p521/sha256", "leaf x509 p521/sha256"]),
    ("version 1 with P-521", &["ca x509 p384/sha384", "plain v1 p521/sha384"]),
    ("version 1 with P-256", &["ca x509 p256", "plain v1 p256"]),
    ("an authority's as a server's", &["ca x509 p256", "authority x509 p256"]),
    ("a root of version 1", &["plain v1 rsa:2048", "leaf x509 rsa:2048"]),
    ("an authority between", &["ca x509 p384", "ca x509 p521", "plain v1 rsa:2048"]),
    ("Ed25519", &["ca x509 ed25519", "leaf x509 ed25519"]),
    ("Ed25519 of version 1", &["ca x509 ed25519", "plain v1 ed25519"]),
    ("as it should be", &["ca x509 p256", "leaf x509 p256"]),
    ("a client's", &["ca x509 p256", "client x509 p256"]),
    ("expired", &["ca x509 p256", "old x509 p256"]),
    ("signed by no authority", &["ca x509 p256", "leaf x509 p256", "plain v1 p256"]),
    ("with a strange critical extension", &["ca x509 p256", "strange x509 p256"]),
    ("P-256 with SHA-512", &["ca x509 p256/sha512", "leaf x509 p256/sha512"]),
    ("P-384 with SHA-512", &["ca x509 p384/sha512", "plain v1 p256/sha512"]),
    ("on secp256k1", &["ca x509 p256", "leaf x509 secp256k1"]),
    ("for other names", &["ca x509 p256", "named x509 p256"]),
    ("for another address", &["ca x509 p256", "numbered x509 p256"]),
    ("P-384 of an RSA authority", &["ca x509 rsa:3072", "leaf x509 p384"]),
];

/// What libpq takes and we do not: ring has no Ed448, and rustls no key for RSASSA-PSS only in TLS 1.2. A server ends the
/// handshake before it shows a certificate of the first kind, so that the message tells the kinds of keys that there are.
const KEPT: [(&str, &[&str], &[&str], &str); 3] = [
    (
        "a key on Ed448",
        &["ca x509 p256", "leaf x509 ed448"],
        &["TLSv1.2", "TLSv1.3"],
        "keys are RSA of 2048 to 8192 bits",
    ),
    ("an authority on Ed448", &["ca x509 ed448", "leaf x509 p256"], &["TLSv1.2", "TLSv1.3"], "a key that is Ed448"),
    (
        "a key for RSASSA-PSS only",
        &["ca x509 p256", "plain v1 rsa-pss"],
        &["TLSv1.2"],
        "RSASSA-PSS only, which is taken with TLS 1.3",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn we_connect_wherever_libpq_does() {
    let cluster = Cluster::start();
    let other = make(cluster.folder.path(), "other", &["ca x509 p256", "leaf x509 p256"]);
    let mut wrong = Vec::new();
    for (index, (case, steps)) in CASES.iter().enumerate() {
        let made = make(cluster.folder.path(), &format!("case{index}"), steps);
        cluster.install(&made);
        for newest in ["TLSv1.2", "TLSv1.3"] {
            cluster.reload(newest);
            let (root, stranger) = (made.root.display(), other.root.display());
            for settings in [
                "sslmode=prefer".to_owned(),
                "sslmode=require".to_owned(),
                format!("sslmode=verify-ca sslrootcert={root}"),
                format!("sslmode=verify-full sslrootcert={root}"),
                format!("sslmode=verify-ca sslrootcert={stranger}"),
            ] {
                let (libpq, ours) = (cluster.libpq(&settings), cluster.ours(&settings).await);
                let shown = ours.as_ref().ok().map(|ssl| if ssl == "t" { "t" } else { "f" });
                if libpq.as_deref() != shown {
                    wrong.push(format!("{case}, {newest}, {settings}: libpq {libpq:?}, we {ours:?}"));
                }
                assert!(!settings.contains(&stranger.to_string()) || ours.is_err(), "{case}: a stranger is trusted");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_by_the_certificates_property() {
    let cluster = Cluster::start();
    let other = make(cluster.folder.path(), "other", &["ca x509 p256", "leaf x509 p256"]);
    let told = async |settings: String| {
        assert_eq!(cluster.libpq(&settings).is_some(), settings.contains("KEPT"), "{settings}");
        let error = cluster.ours(&settings).await.expect_err(&settings);
        error.detail_text().unwrap_or_default().to_owned()
    };
    for (index, (case, steps, versions, words)) in KEPT.iter().enumerate() {
        let made = make(cluster.folder.path(), &format!("kept{index}"), steps);
        cluster.install(&made);
        for newest in *versions {
            cluster.reload(newest);
            let settings = format!("sslmode=verify-full sslrootcert={} application_name=KEPT", made.root.display());
            let detail = told(settings).await;
            assert!(detail.contains(words), "{case}, {newest}: {detail}");
        }
    }
    for steps in [["ca x509 rsa:2048", "leaf x509 rsa-pss"], ["ca x509 p256", "plain v1 rsa-pss"]] {
        let made = make(cluster.folder.path(), &format!("pss{}", &steps[1][..4]), &steps);
        cluster.install(&made);
        cluster.reload("TLSv1.3");
        let settings = format!("sslmode=verify-full sslrootcert={}", made.root.display());
        assert_eq!(cluster.libpq(&settings).as_deref(), Some("t"));
        assert_eq!(cluster.ours(&settings).await.expect("it is taken with TLS 1.3"), "t");
    }
    for (index, (steps, is_strange, words)) in [
        (
            ["ca x509 p256", "named x509 p256"],
            false,
            "not for \"localhost\": its subject alternative names are \"db.example.com\", \"*.exa",
        ),
        (
            ["ca x509 p256", "numbered x509 p256"],
            true,
            "its issuer \"CN=authority 0 of told1\" does not lead to a trusted",
        ),
        (["ca x509 p256", "old x509 p256"], false, "it was good until 20"),
        (["ca x509 p256", "client x509 p256"], false, "its extended key usage does not allow a server"),
    ]
    .into_iter()
    .enumerate()
    {
        let made = make(cluster.folder.path(), &format!("told{index}"), &steps);
        cluster.install(&made);
        cluster.reload("TLSv1.3");
        let root = if is_strange { &other.root } else { &made.root };
        let detail = told(format!("sslmode=verify-full sslrootcert={}", root.display())).await;
        assert!(detail.contains(words), "{steps:?}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_is_refused_as_libpq_does_and_keys_are_exchanged_on_p521() {
    let cluster = Cluster::start();
    let mut wrong = Vec::new();
    for (index, steps) in
        [["ca x509 p256", "leaf x509 p256"], ["ca x509 p521/sha512", "plain v1 p521/sha512"]].iter().enumerate()
    {
        let made = make(cluster.folder.path(), &format!("crl{index}"), steps);
        let home = made.root.parent().expect("a folder");
        let openssl = |args: &[&str]| {
            let output = Command::new("openssl").args(args).current_dir(home).output().expect("openssl runs");
            assert!(output.status.success(), "openssl {args:?}:\n{}", String::from_utf8_lossy(&output.stderr));
        };
        fs::write(home.join("index"), "").expect("the folder is ours");
        let section =
            "[ca]\ndefault_ca=x\n[x]\ndatabase=index\ndefault_md=sha512\ndefault_crl_days=30\ncrlnumber=number\n";
        fs::write(home.join("ca.conf"), section).expect("the folder is ours");
        fs::write(home.join("number"), "01\n").expect("the folder is ours");
        let issue = ["ca", "-config", "ca.conf", "-cert", "c0.crt", "-keyfile", "c0.key"];
        openssl(&[&issue[..], &["-gencrl", "-out", "none.crl"]].concat());
        openssl(&[&issue[..], &["-revoke", "c1.crt"]].concat());
        openssl(&[&issue[..], &["-gencrl", "-out", "all.crl"]].concat());
        cluster.install(&made);
        cluster.sql(&["alter system set ssl_ecdh_curve = 'secp521r1'"]);
        for newest in ["TLSv1.2", "TLSv1.3"] {
            cluster.reload(newest);
            for list in ["none.crl", "all.crl"] {
                let list = home.join(list);
                let settings =
                    format!("sslmode=verify-ca sslrootcert={} sslcrl={}", made.root.display(), list.display());
                let (libpq, ours) = (cluster.libpq(&settings), cluster.ours(&settings).await);
                if libpq.is_some() != ours.is_ok() || list.ends_with("all.crl") != ours.is_err() {
                    wrong.push(format!("{steps:?}, {newest}, {settings}: libpq {libpq:?}, we {ours:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_certificate_is_shown_where_libpq_shows_its_own() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::start();
    let mut wrong = Vec::new();
    for (index, steps) in [
        ["ca x509 p256", "plain v1 rsa:2048"],
        ["ca x509 p521/sha512", "client x509 p521/sha512"],
        ["ca x509 p384", "plain v1 p521"],
        ["ca x509 p256", "client x509 ed25519"],
    ]
    .iter()
    .enumerate()
    {
        let made = make(cluster.folder.path(), &format!("client{index}"), steps);
        let trusted = cluster.folder.path().join("data/trusted.crt");
        fs::copy(&made.root, &trusted).expect("the file can be copied");
        fs::set_permissions(&trusted, fs::Permissions::from_mode(0o644)).expect("it is ours");
        fs::set_permissions(&made.key, fs::Permissions::from_mode(0o600)).expect("it is ours");
        // the same key in its older form
        let traditional = made.key.with_extension("sec1");
        let written = Command::new("openssl")
            .args(["ec", "-in"])
            .arg(&made.key)
            .arg("-out")
            .arg(&traditional)
            .stderr(Stdio::null())
            .status()
            .expect("openssl runs");
        // in TLS 1.2 a server takes a client's key on its own curve only
        cluster.sql(&["alter system set ssl_ca_file = 'trusted.crt'", "alter system set ssl_ecdh_curve = 'secp521r1'"]);
        fs::write(
            cluster.folder.path().join("data/pg_hba.conf"),
            "hostssl all postgres 127.0.0.1/32 trust clientcert=verify-ca\nhostnossl all all 127.0.0.1/32 trust\n",
        )
        .expect("the file can be written");
        for newest in ["TLSv1.2", "TLSv1.3"] {
            cluster.reload(newest);
            for key in [&made.key, &traditional].into_iter().take(1 + usize::from(written.success())) {
                drop(fs::set_permissions(key, fs::Permissions::from_mode(0o600)));
                let settings =
                    format!("sslmode=require sslcert={} sslkey={}", made.certificate.display(), key.display());
                let (libpq, ours) = (cluster.libpq(&settings), cluster.ours(&settings).await);
                if libpq.as_deref() != Some("t") || ours.as_deref().ok() != Some("t") {
                    wrong.push(format!("{steps:?}, {newest}, {settings}: libpq {libpq:?}, we {ours:?}"));
                }
            }
            assert!(cluster.ours("sslmode=require").await.is_err(), "the server asks for a certificate");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_not_sent_in_clear_after_a_failed_handshake() {
    let cluster = Cluster::start();
    cluster.sql(&["create role clear login password 'hidden'", "create role scram login password 'hidden'"]);
    let other = make(cluster.folder.path(), "other", &["ca x509 p256", "leaf x509 p256"]);
    let spec = |user: &str| Spec {
        target: Some(format!(
            "host=localhost hostaddr=127.0.0.1 port={} dbname=postgres user={user} password=hidden sslmode=prefer sslrootcert={}",
            cluster.port,
            other.root.display()
        )),
        ..Spec::default()
    };
    let options = spec("clear").resolve(&|_| None).unwrap();
    let error = Connection::connect(&options).await.err().expect("the password is kept");
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
    assert!(error.to_string().contains("password") && error.to_string().contains("certificate"), "{error}");

    // a proof of the password gives it to nobody; what was asked for and did not come is told
    let mut connection = Connection::connect(&spec("scram").resolve(&|_| None).unwrap()).await.unwrap();
    let standing = set_up(&mut connection, &Setup::default()).await.unwrap();
    assert!(standing.warnings.iter().any(|warning| warning.contains("not encrypted")), "{:?}", standing.warnings);
}

/// HTTPS in front of an S3 server that speaks HTTP, by OpenSSL: it takes every certificate.
struct Front {
    process: std::process::Child,
    port: u16,
}

const FRONT: &str = r#"
import socket, ssl, sys, threading
certificate, key, host, port, newest = sys.argv[1:6]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
context.maximum_version = ssl.TLSVersion[newest]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
def serve(client):
    try:
        client = context.wrap_socket(client, server_side=True)
        server = socket.create_connection((host, int(port)))
    except OSError:
        return
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

impl Front {
    fn start(made: &Made, endpoint: &str, newest: &str) -> Self {
        use std::io::BufRead as _;
        let target = endpoint.trim_start_matches("http://").trim_end_matches('/');
        let (host, port) = target.split_once(':').expect("a host and a port");
        let mut process = Command::new("python3")
            .args(["-c", FRONT])
            .args([&made.certificate, &made.key])
            .args([host, port, newest])
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut line = String::new();
        let output = process.stdout.as_mut().expect("a pipe");
        std::io::BufReader::new(output).read_line(&mut line).expect("a port");
        Self { process, port: line.trim().parse().expect("a port") }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn s3_servers_are_reached_with_certificates_as_people_have_them() {
    let folder = tempfile::tempdir().unwrap();
    let other = make(folder.path(), "other", &["authority x509 p256"]);
    let bucket = Bucket::new();
    let store = bucket.url();
    for (index, steps) in [
        &["req x509 rsa:2048"][..],
        &["plain v1 rsa:2048"],
        &["plain v1 p521"],
        &["req x509 p521"],
        &["ca x509 p521/sha512", "leaf x509 p521/sha512"],
        &["plain v1 p256", "leaf x509 rsa:2048"],
    ]
    .iter()
    .enumerate()
    {
        let made = make(folder.path(), &format!("case{index}"), steps);
        for newest in ["TLSv1_2", "TLSv1_3"] {
            let front = Front::start(&made, &bucket.endpoint, newest);
            for (variable, root, is_taken) in [
                ("AWS_CA_BUNDLE", &made.root, true),
                ("SSL_CERT_FILE", &made.root, true),
                ("AWS_CA_BUNDLE", &other.root, false),
            ] {
                let environment = bucket.environment(Some(&format!("https://localhost:{}", front.port)));
                let run = db(["list", "--store", &store]).envs(&environment).env(variable, root).run();
                assert_eq!(run.code == Some(0), is_taken, "{steps:?}, {newest}, {variable}\n{}", run.transcript());
                assert!(is_taken || run.stderr.contains("trusted certificate"), "{}", run.transcript());
            }
        }
    }
    let made = make(folder.path(), "named", &["ca x509 p256", "named x509 p256"]);
    let front = Front::start(&made, &bucket.endpoint, "TLSv1_3");
    let environment = bucket.environment(Some(&format!("https://localhost:{}", front.port)));
    let run = db(["list", "--store", &store]).envs(&environment).env("AWS_CA_BUNDLE", &made.root).run();
    let refused = run.expect_code(12);
    assert!(
        refused.stderr.contains("its subject alternative names are \"db.example.com\""),
        "{}",
        refused.transcript()
    );
}

#[test]
fn an_s3_server_whose_certificate_is_its_own_trusted_root_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let made = make(folder.path(), "own", &["authority x509 p256"]);
    let other = make(folder.path(), "other", &["authority x509 p256"]);
    let bucket = Bucket::new();
    let front = Front::start(&made, &bucket.endpoint, "TLSv1_3");
    let port = front.port;
    let database = any_server().database();
    database.sql("create table t as select i, repeat(md5(i::text), 50) as a from generate_series(1, 20000) i;");
    let (store, url) = (bucket.url(), database.url());
    let run = |arguments: &[&str], host: &str, bundle: Option<&Path>| {
        let environment = bucket.environment(Some(&format!("https://{host}:{port}")));
        let call = db(arguments.iter().chain(&["--store", store.as_str()])).envs(&environment);
        match bundle {
            Some(bundle) => call.env("AWS_CA_BUNDLE", bundle).run(),
            None => call.run(),
        }
    };
    run(&["backup", "-d", &url], "localhost", Some(&made.root)).ok();
    run(&["verify", "latest"], "localhost", Some(&made.root)).ok();
    run(&["list"], "localhost", Some(&made.root)).ok();
    for (host, bundle) in [("localhost", Some(&other.root)), ("127.0.0.1", Some(&made.root)), ("localhost", None)] {
        let refused = run(&["list"], host, bundle.map(PathBuf::as_path)).expect_code(12);
        assert!(refused.stderr.contains("certificate"), "{}", refused.transcript());
    }
}
