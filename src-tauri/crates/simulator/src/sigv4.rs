//! AWS Signature Version 4, from the side that verifies it. Written from the description, not with the library that signs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hmac::{Hmac, Mac};
use patchbay_model::Timestamp;
use sha2::{Digest, Sha256};

use crate::wire::SimRequest;

/// Minutes by which the time of a signature may be off.
const MINUTES: i64 = 15;

/// Who signed, and what the signature claims.
pub(crate) struct Signed {
    pub(crate) access_key: String,
    date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    headers: Vec<String>,
    signature: String,
}

/// Reads the `Authorization` header.
pub(crate) fn read(request: &SimRequest) -> Option<Signed> {
    let text = request.header("authorization")?.strip_prefix("AWS4-HMAC-SHA256")?;
    let parts: BTreeMap<&str, &str> = text.split(',').filter_map(|part| part.trim().split_once('=')).collect();
    let mut scope = parts.get("Credential")?.split('/');
    let (access_key, date, region, service, "aws4_request", None) = (scope.next()?, scope.next()?, scope.next()?, scope.next()?, scope.next()?, scope.next()) else { return None };
    Some(Signed {
        access_key: access_key.to_owned(),
        date: date.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        headers: parts.get("SignedHeaders")?.split(';').map(str::to_owned).collect(),
        signature: (*parts.get("Signature")?).to_owned(),
    })
}

impl Signed {
    /// Whether this secret signed this request, now.
    pub(crate) fn verifies(&self, request: &SimRequest, secret: &str, now: Timestamp) -> Result<(), &'static str> {
        let time = request.header("x-amz-date").ok_or("x-amz-date is missing")?;
        let written = format!("{}-{}-{}T{}:{}:{}Z", part(time, 0, 4), part(time, 4, 6), part(time, 6, 8), part(time, 9, 11), part(time, 11, 13), part(time, 13, 15));
        let at: Timestamp = written.parse().map_err(|_| "x-amz-date is no time")?;
        if (now.unix_micros() - at.unix_micros()).abs() > MINUTES * 60_000_000 {
            return Err("the time of the signature is too far off");
        }
        if !time.starts_with(&self.date) {
            return Err("the day of the signature is another than that of the request");
        }
        if !self.headers.iter().any(|name| name == "host") {
            return Err("host is not signed");
        }
        let payload = hex(&Sha256::digest(&request.body));
        let told = request.header("x-amz-content-sha256");
        if told.is_some_and(|told| told != payload && told != "UNSIGNED-PAYLOAD") {
            return Err("the body is not the one that was signed");
        }
        let mut text = format!("{}\n{}\n{}\n", request.method, self.path(&request.path), query(&request.query));
        for name in &self.headers {
            let value = if name == "host" { Some(request.host.as_str()) } else { request.header(name) };
            let value = value.ok_or("a signed header is missing")?.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = writeln!(text, "{name}:{value}");
        }
        let _ = write!(text, "\n{}\n{}", self.headers.join(";"), told.unwrap_or(&payload));
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let signing = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(text.as_bytes())));
        let mut key = sign(format!("AWS4{secret}").as_bytes(), &self.date);
        for part in [self.region.as_str(), &self.service, "aws4_request"] {
            key = sign(&key, part);
        }
        if hex(&sign(&key, &signing)) == self.signature { Ok(()) } else { Err("the signature does not verify") }
    }

    /// The path is escaped once more, but for S3.
    fn path(&self, path: &str) -> String {
        let path = if path.is_empty() { "/" } else { path };
        if self.service == "s3" { path.to_owned() } else { path.split('/').map(escaped).collect::<Vec<_>>().join("/") }
    }
}

fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

fn query(text: &str) -> String {
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes()).map(|(name, value)| (escaped(&name), escaped(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Everything but the unreserved characters of RFC 3986.
fn escaped(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

pub(crate) fn sign(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of AWS's own test suite (`get-vanilla`).
    #[test]
    fn the_example_of_the_vendor_verifies() {
        let request = SimRequest { method: "GET".to_owned(), host: "example.amazonaws.com".to_owned(), path: "/".to_owned(), ..SimRequest::default() }
            .with("X-Amz-Date", "20150830T123600Z")
            .with(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, \
                 Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            );
        let now: Timestamp = "2015-08-30T12:40:00Z".parse().unwrap();
        let signed = read(&request).unwrap();
        assert_eq!(signed.verifies(&request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", now), Ok(()));
        assert!(signed.verifies(&request, "another", now).is_err());
        let late: Timestamp = "2015-08-30T13:40:00Z".parse().unwrap();
        assert!(signed.verifies(&request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", late).is_err());
        let other = SimRequest { path: "/other".to_owned(), ..request.clone() };
        assert!(signed.verifies(&other, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", now).is_err());
    }
}
