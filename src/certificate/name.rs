//! Whether a certificate is for a host: libpq's rule.

use std::net::IpAddr;

use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The names that a certificate has.
pub(super) struct Names {
    alternatives: Vec<Name>,
    common: Option<String>,
}

enum Name {
    Host(String),
    Address(IpAddr),
}

impl Names {
    /// `None` where they cannot be read.
    pub(super) fn of(certificate: &Certificate) -> Option<Self> {
        let found = certificate.tbs_certificate.get::<SubjectAltName>().ok()?;
        let mut alternatives = Vec::new();
        for name in found.into_iter().flat_map(|(_, names)| names.0) {
            match &name {
                GeneralName::DnsName(name) => alternatives.push(Name::Host(name.as_str().to_owned())),
                GeneralName::IpAddress(bytes) => alternatives.extend(address(bytes.as_bytes()).map(Name::Address)),
                GeneralName::OtherName(_)
                | GeneralName::Rfc822Name(_)
                | GeneralName::DirectoryName(_)
                | GeneralName::EdiPartyName(_)
                | GeneralName::UniformResourceIdentifier(_)
                | GeneralName::RegisteredId(_) => {}
            }
        }
        let common = (certificate.tbs_certificate.subject.0.iter())
            .flat_map(|relative| relative.0.iter())
            .find(|attribute| attribute.oid.to_string() == "2.5.4.3")
            .and_then(|attribute| std::str::from_utf8(attribute.value.value()).ok())
            .map(str::to_owned);
        Some(Self { alternatives, common })
    }

    /// The common name counts where no alternative name is of the host's kind.
    pub(super) fn fit(&self, host: &str) -> bool {
        let address: Option<IpAddr> = host.parse().ok();
        let fits = |name: &Name| match name {
            Name::Host(name) => host_fits(name, host),
            Name::Address(own) => Some(*own) == address,
        };
        let is_of_kind = |name: &Name| matches!(name, Name::Address(_)) == address.is_some();
        self.alternatives.iter().any(fits)
            || (!self.alternatives.iter().any(is_of_kind)
                && self.common.as_deref().is_some_and(|name| host_fits(name, host)))
    }

    /// What the certificate is for, as a clause of the refusal.
    pub(super) fn describe(&self) -> String {
        let names: Vec<String> = (self.alternatives.iter())
            .map(|name| match name {
                Name::Host(name) => format!("\"{name}\""),
                Name::Address(address) => address.to_string(),
            })
            .collect();
        let common = self
            .common
            .as_deref()
            .map_or_else(|| "no common name".to_owned(), |name| format!("the common name \"{name}\""));
        if names.is_empty() {
            format!("it has no subject alternative name, and {common}")
        } else {
            format!("its subject alternative names are {}", names.join(", "))
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Case does not matter; `*.` stands for one label.
fn host_fits(name: &str, host: &str) -> bool {
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(parent), Some((label, rest))) => {
            !label.is_empty() && parent.contains('.') && rest.eq_ignore_ascii_case(parent)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_without_case_and_with_one_wildcard_label() {
        for (name, host, fits) in [
            ("db.example.com", "DB.example.com", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "a.db.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.com", "example.com", false),
            ("example.com", "db.example.com", false),
        ] {
            assert_eq!(host_fits(name, host), fits, "{name} {host}");
        }
    }

    #[test]
    fn the_common_name_counts_without_an_alternative_of_the_kind() {
        let host = |name: &str| Name::Host(name.to_owned());
        let names = |alternatives, common: &str| Names { alternatives, common: Some(common.to_owned()) };
        let local = IpAddr::from([127, 0, 0, 1]);
        for (names, asked, fits) in [
            (names(vec![], "db"), "db", true),
            (names(vec![host("other")], "db"), "db", false),
            (names(vec![host("db")], "other"), "db", true),
            (names(vec![Name::Address(local)], "db"), "db", true),
            (names(vec![Name::Address(local)], "db"), "127.0.0.1", true),
            (names(vec![host("db")], "127.0.0.1"), "127.0.0.1", true),
            (names(vec![Name::Address(local)], "127.0.0.2"), "127.0.0.2", false),
        ] {
            assert_eq!(names.fit(asked), fits, "{} for {asked}", names.describe());
        }
    }
}
