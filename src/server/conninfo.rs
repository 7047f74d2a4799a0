//! Connection strings: URLs, keyword/value lists and plain database names (PostgreSQL documentation, "Connection
//! Strings").
//!
//! Errors never quote the string: it may hold a password.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{decode_text, encode_text};

/// Connection parameters by libpq's names, values in `decode_text` form.
pub(super) type Parameters = BTreeMap<&'static str, String>;

/// What becomes of a parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It is used.
    Used,
    /// It means nothing here and changes nothing: GSSAPI's details when GSSAPI is not used, what a dump pins itself.
    Passed,
    /// Leaving it out would weaken what the user asked for.
    Refused,
}

/// libpq's keywords with their environment variables (`PQconndefaults` of PostgreSQL 18).
pub(super) const KEYWORDS: [(&str, Option<&str>, Treatment); 54] = [
    ("application_name", Some("PGAPPNAME"), Treatment::Used),
    ("channel_binding", Some("PGCHANNELBINDING"), Treatment::Used),
    ("client_encoding", Some("PGCLIENTENCODING"), Treatment::Passed),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT"), Treatment::Used),
    ("dbname", Some("PGDATABASE"), Treatment::Used),
    ("fallback_application_name", None, Treatment::Used),
    ("gssdelegation", Some("PGGSSDELEGATION"), Treatment::Passed),
    ("gssencmode", Some("PGGSSENCMODE"), Treatment::Used),
    ("gsslib", Some("PGGSSLIB"), Treatment::Passed),
    ("host", Some("PGHOST"), Treatment::Used),
    ("hostaddr", Some("PGHOSTADDR"), Treatment::Used),
    ("keepalives", None, Treatment::Used),
    ("keepalives_count", None, Treatment::Used),
    ("keepalives_idle", None, Treatment::Used),
    ("keepalives_interval", None, Treatment::Used),
    ("krbsrvname", Some("PGKRBSRVNAME"), Treatment::Passed),
    ("load_balance_hosts", Some("PGLOADBALANCEHOSTS"), Treatment::Used),
    ("max_protocol_version", Some("PGMAXPROTOCOLVERSION"), Treatment::Passed),
    ("min_protocol_version", Some("PGMINPROTOCOLVERSION"), Treatment::Refused),
    ("oauth_client_id", None, Treatment::Refused),
    ("oauth_client_secret", None, Treatment::Refused),
    ("oauth_issuer", None, Treatment::Refused),
    ("oauth_scope", None, Treatment::Refused),
    ("options", Some("PGOPTIONS"), Treatment::Used),
    ("passfile", Some("PGPASSFILE"), Treatment::Used),
    ("password", Some("PGPASSWORD"), Treatment::Used),
    ("port", Some("PGPORT"), Treatment::Used),
    ("replication", None, Treatment::Refused),
    ("require_auth", Some("PGREQUIREAUTH"), Treatment::Refused),
    ("requirepeer", Some("PGREQUIREPEER"), Treatment::Refused),
    ("requiressl", Some("PGREQUIRESSL"), Treatment::Used),
    ("scram_client_key", None, Treatment::Refused),
    ("scram_server_key", None, Treatment::Refused),
    ("service", Some("PGSERVICE"), Treatment::Used),
    ("servicefile", Some("PGSERVICEFILE"), Treatment::Used),
    ("ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION"), Treatment::Passed),
    ("ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION"), Treatment::Used),
    ("sslcert", Some("PGSSLCERT"), Treatment::Used),
    ("sslcertmode", Some("PGSSLCERTMODE"), Treatment::Used),
    ("sslcompression", Some("PGSSLCOMPRESSION"), Treatment::Passed),
    ("sslcrl", Some("PGSSLCRL"), Treatment::Used),
    ("sslcrldir", Some("PGSSLCRLDIR"), Treatment::Refused),
    ("sslkey", Some("PGSSLKEY"), Treatment::Used),
    ("sslkeylogfile", None, Treatment::Refused),
    ("sslmode", Some("PGSSLMODE"), Treatment::Used),
    ("sslnegotiation", Some("PGSSLNEGOTIATION"), Treatment::Used),
    ("sslpassword", None, Treatment::Refused),
    ("sslrootcert", Some("PGSSLROOTCERT"), Treatment::Used),
    ("sslsni", Some("PGSSLSNI"), Treatment::Used),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS"), Treatment::Used),
    ("tcp_user_timeout", None, Treatment::Used),
    ("authtype", None, Treatment::Passed),
    ("tty", None, Treatment::Passed),
    ("user", Some("PGUSER"), Treatment::Used),
];

/// The keyword's own spelling, if it is one.
pub(super) fn keyword(name: &str) -> Option<(&'static str, Treatment)> {
    KEYWORDS.iter().find(|(keyword, _, _)| *keyword == name).map(|(keyword, _, treatment)| (*keyword, *treatment))
}

fn invalid(problem: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, "the connection string cannot be understood")
        .detail(problem)
        .hint("Write postgresql://user@host:5432/database?sslmode=verify-full, or: host=... dbname=... user=...")
}

/// A password with an @, a / or a ? as it is moves all that follows it to other places, from where errors would print it.
fn unencoded() -> Error {
    Error::new(ErrorKind::Config, "the connection URL has an @ that ends neither user nor password")
        .detail("what stands before the last @ is not shown: it may be a password")
        .hint(ENCODING)
}

const ENCODING: &str = "In a URL write special characters of user, password and database as %40 (@), %3A (:), %2F (/), %3F (?), \
    %23 (#), %25 (%); or give the password in PGPASSWORD or ~/.pgpass.";

/// Puts a parameter in its place; one that is not known, or cannot be honoured, is refused by name.
pub(super) fn put(parameters: &mut Parameters, name: &str, value: String) -> Result<()> {
    let is_word = name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    match keyword(name) {
        None if !is_word || parameters.contains_key("password") => {
            Err(invalid("a keyword is none of libpq's: it is not shown, for it may be part of a password")
                .hint("Put values with spaces in single quotes, and begin a URL with postgresql://"))
        }
        None => Err(Error::new(ErrorKind::Config, format!("unknown connection parameter \"{}\"", name.escape_debug()))
            .hint("Take it out of the connection settings; the known ones are libpq's.")),
        Some((_, Treatment::Refused)) if !value.is_empty() => Err(refused(name)),
        Some((keyword, _)) => {
            parameters.insert(keyword, value);
            Ok(())
        }
    }
}

pub(super) fn refused(name: &str) -> Error {
    Error::new(ErrorKind::Config, format!("connection parameter \"{name}\" is not supported"))
}

/// Whether libpq takes the text for a connection string, and not for a database's name.
pub(super) fn is_connection_string(text: &str) -> bool {
    url_body(text).is_some() || text.contains('=')
}

fn url_body(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"))
}

/// Reads a URL, a keyword/value list or a database's name.
pub(super) fn parse(text: &str) -> Result<Parameters> {
    if let Some(body) = url_body(text) {
        return parse_url(body);
    }
    let begins_with_keyword = text.split_once('=').is_some_and(|(name, _)| keyword(name.trim()).is_some());
    if !begins_with_keyword && lacks_scheme(text) {
        return Err(Error::new(ErrorKind::Config, "the connection URL has no postgresql:// in front")
            .detail("what stands before the last @ is not shown: it may be a password")
            .hint("Write postgresql://user@host:5432/database; a database of such a name is dbname='...'."));
    }
    if is_connection_string(text) {
        return parse_list(text);
    }
    if text.contains("://") {
        return Err(invalid("the URL begins neither with postgresql:// nor with postgres://"));
    }
    let mut parameters = Parameters::new();
    put(&mut parameters, "dbname", text.to_owned())?;
    Ok(parameters)
}

/// `user:password@host` as it is.
fn lacks_scheme(text: &str) -> bool {
    !text.contains("://") && text.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'))
}

fn percent_decode(bytes: &[u8]) -> Result<String> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit =
            || rest.next().and_then(|&byte| char::from(byte).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (digit(), digit()) {
            (Some(high), Some(low)) if high | low != 0 => out.push(high << 4 | low),
            (Some(_), Some(_)) => return Err(invalid("%00 is not allowed")),
            _ => return Err(invalid("a % is not followed by two hexadecimal digits")),
        }
    }
    Ok(decode_text(&out))
}

fn split_once(bytes: &[u8], at: impl Fn(u8) -> bool) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|&byte| at(byte)) {
        Some(place) => {
            let (front, back) = bytes.split_at(place);
            (front, back.get(1..))
        }
        None => (bytes, None),
    }
}

fn parse_url(body: &str) -> Result<Parameters> {
    let body = encode_text(body);
    let mut parameters = Parameters::new();
    let (front, query) = split_once(&body, |byte| byte == b'?');
    let (authority, database) = split_once(front, |byte| byte == b'/');

    // libpq takes the first @ as the end of user and password; both are to be percent-encoded
    let (login, hosts) = match split_once(authority, |byte| byte == b'@') {
        (login, Some(hosts)) => (Some(login), hosts),
        (hosts, None) => (None, hosts),
    };
    let has = |part: &[u8]| part.contains(&b'@');
    let is_late = login.is_none() && query.is_some_and(has) && !is_hosts(hosts);
    if has(hosts) || database.is_some_and(has) || is_late {
        return Err(unencoded());
    }
    if let Some(login) = login {
        let (user, password) = split_once(login, |byte| byte == b':');
        if !user.is_empty() {
            put(&mut parameters, "user", percent_decode(user)?)?;
        }
        if let Some(password) = password.filter(|password| !password.is_empty()) {
            put(&mut parameters, "password", percent_decode(password)?)?;
        }
    }
    parse_url_hosts(hosts, &mut parameters)?;
    if let Some(database) = database.filter(|database| !database.is_empty()) {
        put(&mut parameters, "dbname", percent_decode(database)?)?;
    }
    for pair in query.unwrap_or_default().split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
        let (name, Some(value)) = split_once(pair, |byte| byte == b'=') else {
            return Err(invalid("a parameter behind the ? has no ="));
        };
        if value.contains(&b'=') {
            return Err(invalid("a parameter behind the ? has more than one ="));
        }
        let (name, value) = (percent_decode(name)?, percent_decode(value)?);
        if keyword(&name).is_none() && query.is_some_and(has) {
            return Err(unencoded());
        }
        // as libpq: JDBC's spelling
        if name == "ssl" && value == "true" {
            put(&mut parameters, "sslmode", "require".to_owned())?;
        } else {
            put(&mut parameters, &name, value)?;
        }
    }
    Ok(parameters)
}

/// Whether what stands behind every colon is a port, as it is not in `user:password`.
fn is_hosts(text: &[u8]) -> bool {
    let port = |host: &[u8]| host.iter().rev().take_while(|byte| **byte != b':').all(u8::is_ascii_digit);
    text.split(|&byte| byte == b',').all(|host| !host.contains(&b':') || host.ends_with(b"]") || port(host))
}

fn parse_url_hosts(mut rest: &[u8], parameters: &mut Parameters) -> Result<()> {
    let mut names = Vec::new();
    let mut ports = Vec::new();
    loop {
        let (name, after) = match rest.strip_prefix(b"[") {
            Some(inner) => {
                let (address, Some(after)) = split_once(inner, |byte| byte == b']') else {
                    return Err(invalid("an IPv6 address has no closing bracket"));
                };
                if address.is_empty() {
                    return Err(invalid("an IPv6 address is empty"));
                }
                if !matches!(after.first(), None | Some(b':' | b',')) {
                    return Err(invalid("only a colon or a comma may follow an IPv6 address"));
                }
                (address, after)
            }
            None => {
                let end = rest.iter().position(|byte| matches!(byte, b':' | b',')).unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        names.push(percent_decode(name)?);
        let (port, more) = match after.strip_prefix(b":") {
            Some(after) => {
                let (port, more) = split_once(after, |byte| byte == b',');
                (port, more)
            }
            None => (&[][..], after.strip_prefix(b",")),
        };
        ports.push(percent_decode(port)?);
        match more {
            Some(more) => rest = more,
            None => break,
        }
    }
    if names.iter().any(|name| !name.is_empty()) {
        put(parameters, "host", names.join(","))?;
    }
    if ports.iter().any(|port| !port.is_empty()) {
        put(parameters, "port", ports.join(","))?;
    }
    Ok(())
}

fn parse_list(text: &str) -> Result<Parameters> {
    let mut parameters = Parameters::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|character| character.is_ascii_whitespace()).is_some() {}
        if characters.peek().is_none() {
            return Ok(parameters);
        }
        let mut name = String::new();
        while let Some(character) =
            characters.next_if(|character| *character != '=' && !character.is_ascii_whitespace())
        {
            name.push(character);
        }
        while characters.next_if(|character| character.is_ascii_whitespace()).is_some() {}
        if characters.next() != Some('=') {
            return Err(invalid("a keyword is not followed by ="));
        }
        while characters.next_if(|character| character.is_ascii_whitespace()).is_some() {}
        let mut value = String::new();
        let quoted = characters.next_if_eq(&'\'').is_some();
        loop {
            match characters.next() {
                None if quoted => return Err(invalid("a quoted value has no closing quote")),
                None => break,
                Some('\'') if quoted => break,
                Some('\\') => value.extend(characters.next()),
                Some(character) if !quoted && character.is_ascii_whitespace() => break,
                Some(character) => value.push(character),
            }
        }
        put(&mut parameters, &name, value)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> Result<String, String> {
        parse(text)
            .map(|parameters| {
                parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
            })
            .map_err(|error| error.detail_text().unwrap_or(error.message()).to_owned())
    }

    #[test]
    fn reads_what_libpq_reads() {
        // the forms of PostgreSQL's documentation and of its URI regression test, in our own words
        for (text, expected) in [
            ("shop", "dbname=shop"),
            ("postgresql://", ""),
            ("postgres://host/", "host=host"),
            ("postgresql://host:123/db", "dbname=db host=host port=123"),
            ("postgresql://u:p@host/db?sslmode=require", "dbname=db host=host password=p sslmode=require user=u"),
            ("postgresql://u%40x:p%3A%2f@host", "host=host password=p:/ user=u@x"),
            ("postgresql://a:1,b:2/db", "dbname=db host=a,b port=1,2"),
            ("postgresql://a,b:2/db", "dbname=db host=a,b port=,2"),
            ("postgresql://[2001:db8::1]:5433/db", "dbname=db host=2001:db8::1 port=5433"),
            ("postgresql://[::1],[::2]/", "host=::1,::2"),
            ("postgresql://%2Fvar%2Frun/db", "dbname=db host=/var/run"),
            ("postgresql:///db?host=/tmp&port=7", "dbname=db host=/tmp port=7"),
            ("postgresql://host/db?ssl=true", "dbname=db host=host sslmode=require"),
            ("postgresql://u@/db", "dbname=db user=u"),
            ("postgresql://:12345/", "port=12345"),
            ("host=a  dbname = 'my db' password='it\\'s \\\\'", "dbname=my db host=a password=it's \\"),
            ("dbname=a\\ b user=''", "dbname=a b user="),
            ("dbname='x=y'", "dbname=x=y"),
            ("dbname='a:b@c' password=x:y@z", "dbname=a:b@c password=x:y@z"),
            ("postgresql://host:5432/db?user=me@x", "dbname=db host=host port=5432 user=me@x"),
            ("postgresql://u:p%40q@host/d%40b", "dbname=d@b host=host password=p@q user=u"),
            ("me@work", "dbname=me@work"),
        ] {
            assert_eq!(show(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_half_typed_strings_without_quoting_them() {
        for (text, problem) in [
            ("postgresql://host?nothing", "a parameter behind the ? has no ="),
            ("postgresql://host?a=b=c", "a parameter behind the ? has more than one ="),
            ("postgresql://host/%zz", "a % is not followed by two hexadecimal digits"),
            ("postgresql://host/%0", "a % is not followed by two hexadecimal digits"),
            ("postgresql://host/%00", "%00 is not allowed"),
            ("postgresql://[::1/", "an IPv6 address has no closing bracket"),
            ("postgresql://[]/", "an IPv6 address is empty"),
            ("postgresql://[::1]x/", "only a colon or a comma may follow an IPv6 address"),
            (
                "postgresql://app:x@Tr0ub4dor@host/db",
                "what stands before the last @ is not shown: it may be a password",
            ),
            ("postgresql://app:Tr0/ub4dor@host/db", "what stands before the last @ is not shown: it may be a password"),
            (
                "postgresql://app:Tr0?ub4=dor@host/db",
                "what stands before the last @ is not shown: it may be a password",
            ),
            ("postgresql://app:12?a=b@host/db", "what stands before the last @ is not shown: it may be a password"),
            ("app:Tr0ub4dor@host/db", "what stands before the last @ is not shown: it may be a password"),
            ("app:Tr0=ub4dor@host/db", "what stands before the last @ is not shown: it may be a password"),
            (
                "host=h password=Tr0 ub4=dor",
                "a keyword is none of libpq's: it is not shown, for it may be part of a password",
            ),
            (
                "jdbc:postgresql://app:Tr0@host/db?a=b",
                "a keyword is none of libpq's: it is not shown, for it may be part of a password",
            ),
            ("mysql://host/db", "the URL begins neither with postgresql:// nor with postgres://"),
            ("host=a dbname", "a keyword is not followed by ="),
            ("password='secret", "a quoted value has no closing quote"),
            ("postgresql://host?schema=public", "unknown connection parameter \"schema\""),
            ("sslpassword=x dbname=y", "connection parameter \"sslpassword\" is not supported"),
        ] {
            assert_eq!(show(text).unwrap_err(), problem, "{text}");
        }
    }

    #[test]
    fn carries_nearly_every_byte_in_names() {
        // as PostgreSQL's 010_dump_connstr: every LATIN1 byte but NUL, LF and CR, through both forms
        let bytes: Vec<u8> = (1..=255).filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
        let name = decode_text(&bytes);
        let url: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(parse(&format!("postgresql:///{url}")).unwrap().get("dbname"), Some(&name));
        let quoted = name.replace('\\', "\\\\").replace('\'', "\\'");
        assert_eq!(parse(&format!("dbname='{quoted}'")).unwrap().get("dbname"), Some(&name));
        assert_eq!(encode_text(&name).as_ref(), bytes);
    }
}
