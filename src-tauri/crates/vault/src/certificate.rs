//! What a certificate says of itself: until when it holds.

use patchbay_model::Timestamp;
use x509_parser::pem::Pem;

/// When the first of the certificates in a PEM text ends; none where there is none that can be read. With a chain the whole is
/// of no use as soon as one of it has ended.
pub fn certificate_end(pem: &str) -> Option<Timestamp> {
    let certificates = Pem::iter_from_buffer(pem.as_bytes()).filter_map(Result::ok).filter(|part| part.label == "CERTIFICATE");
    let ends = certificates.filter_map(|part| {
        let seconds = part.parse_x509().ok()?.validity().not_after.timestamp();
        Timestamp::from_unix_micros(seconds.checked_mul(1_000_000)?)
    });
    ends.min()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::certificate_end;

    fn until(year: i32) -> String {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["client.test".to_owned()]).unwrap();
        parameters.not_after = date_time_ymd(year, 3, 1);
        pem("CERTIFICATE", parameters.self_signed(&key).unwrap().der())
    }

    fn pem(label: &str, der: &[u8]) -> String {
        let lines: Vec<String> = STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    #[test]
    fn a_certificate_tells_its_end_and_a_chain_its_first() {
        assert_eq!(certificate_end(&until(2031)), Some("2031-03-01T00:00:00Z".parse().unwrap()));
        assert_eq!(certificate_end(&format!("{}\n{}", until(2032), until(2029))), Some("2029-03-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let key = pem("PRIVATE KEY", &KeyPair::generate().unwrap().serialize_der());
        for text in ["", "no PEM", key.as_str(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n"] {
            assert_eq!(certificate_end(text), None);
        }
    }
}
