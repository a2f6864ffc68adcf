//! AWS Signature Version 4, over the bytes as they leave. The time is that of our clock.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign as signature};
use aws_sigv4::sign::v4;
use patchbay_model::{Code, Problem, Secret, Timestamp};
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::MintedToken;
use crate::http::HttpRequest;

/// Under these names the keys of a session lie beside its token.
const ACCESS_KEY: &str = "access_key_id";
const SECRET_KEY: &str = "secret_access_key";

/// An access key of AWS, lasting or of a session.
#[derive(Clone)]
pub(crate) struct AwsKeys {
    /// Which key; it is no secret.
    pub(crate) access_key_id: String,
    /// What signs.
    pub(crate) secret_access_key: Secret,
    /// What tells the session, where it is one's key.
    pub(crate) session: Option<Secret>,
}

#[derive(Deserialize)]
struct Sealed {
    secret_access_key: Secret,
    session: Option<Secret>,
}

impl AwsKeys {
    /// Reads the plain text of a sealed value; none when it has another form.
    pub(crate) fn read(public: &Map<String, Value>, plain: &Secret) -> Option<Self> {
        let Sealed { secret_access_key, session } = serde_json::from_str(plain.expose()).ok()?;
        let access_key_id = public.get("access_key_id").and_then(Value::as_str)?.to_owned();
        Some(Self { access_key_id, secret_access_key, session: session.filter(|session| !session.is_empty()) })
    }

    /// The keys of a session that was got.
    ///
    /// # Errors
    /// `internal` when it is none.
    pub(super) fn of_session(minted: &MintedToken) -> Result<Self, Problem> {
        let part = |name: &str| minted.more.get(name).cloned().ok_or_else(|| Problem::internal("a session of AWS has no keys"));
        Ok(Self { access_key_id: part(ACCESS_KEY)?.expose().to_owned(), secret_access_key: part(SECRET_KEY)?, session: Some(minted.token.clone()) })
    }

    /// What a session is kept by.
    pub(super) fn beside(access_key_id: &str, secret_access_key: &str) -> BTreeMap<String, Secret> {
        BTreeMap::from([(ACCESS_KEY.to_owned(), Secret::new(access_key_id)), (SECRET_KEY.to_owned(), Secret::new(secret_access_key))])
    }

    /// Every secret in it.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.secret_access_key).chain(&self.session)
    }
}

/// Signs a request that has everything else.
///
/// # Errors
/// `invalid_config` when it cannot be signed.
pub(super) fn sign(request: &mut HttpRequest, keys: &AwsKeys, service: &str, region: &str, now: Timestamp) -> Result<(), Problem> {
    // A blank is a plus to forms and not to AWS; a plus itself is always escaped here.
    if let Some(query) = request.url.query().filter(|query| query.contains('+')) {
        let query = query.replace('+', "%20");
        request.url.set_query(Some(&query));
    }
    // Nothing of the errors is passed on: they could quote a header.
    let unfit = || Problem::new(Code::InvalidConfig, "A request to AWS cannot be signed. Check that keys and region have no characters that do not belong there.");
    let session = keys.session.as_ref().map(|session| session.expose().to_owned());
    let identity = Credentials::new(keys.access_key_id.as_str(), keys.secret_access_key.expose(), session, None, "patchbay").into();
    let micros = u64::try_from(now.unix_micros()).map_err(|_| unfit())?;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
        .settings(settings(service))
        .build()
        .map_err(|_| unfit())?
        .into();
    let instructions = {
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| value.to_str().map(|value| (name.as_str(), value))).collect::<Result<_, _>>().map_err(|_| unfit())?;
        let signable = SignableRequest::new(request.method.as_str(), request.url.as_str(), headers.into_iter(), SignableBody::Bytes(&request.body)).map_err(|_| unfit())?;
        signature(signable, &params).map_err(|_| unfit())?.into_parts().0
    };
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|_| unfit())?;
        value.set_sensitive(true);
        request.headers.insert(HeaderName::from_static(header.name()), value);
    }
    Ok(())
}

/// S3 reads paths as they are written, and wants the digest of the body.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::Method;
    use reqwest::header::HeaderMap;

    use super::*;

    fn keys(session: Option<&str>) -> AwsKeys {
        AwsKeys { access_key_id: "AKIDEXAMPLE".to_owned(), secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), session: session.map(Secret::new) }
    }

    fn signed(url: &str, service: &str, session: Option<&str>) -> HttpRequest {
        let mut request = HttpRequest { method: Method::GET, url: url.parse().unwrap(), headers: HeaderMap::new(), body: Bytes::new(), template: "test".into() };
        sign(&mut request, &keys(session), service, "us-east-1", "2015-08-30T12:36:00Z".parse().unwrap()).unwrap();
        request
    }

    fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
        request.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The first example of AWS's own test suite (`get-vanilla`).
    #[test]
    fn the_example_of_the_vendor_comes_out() {
        let request = signed("https://example.amazonaws.com/", "service", None);
        assert_eq!(header(&request, "x-amz-date"), "20150830T123600Z");
        assert_eq!(
            header(&request, "authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        assert!(request.headers.get("authorization").unwrap().is_sensitive());
    }

    #[test]
    fn a_session_and_a_digest_are_signed_where_they_are_wanted() {
        let request = signed("https://bucket.s3.amazonaws.com/a%20b?x=1+2", "s3", Some("session"));
        assert_eq!(request.url.query(), Some("x=1%202"));
        assert_eq!(header(&request, "x-amz-security-token"), "session");
        assert_eq!(header(&request, "x-amz-content-sha256"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(header(&request, "authorization").contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"), "{}", header(&request, "authorization"));
    }
}
