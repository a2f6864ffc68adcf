use serde_json::json;

use super::*;

const RSA_JWK: &str = include_str!("../../tests/fixtures/jwt/rsa.jwk.json");
const RSA: [&str; 3] = [RSA_JWK, include_str!("../../tests/fixtures/jwt/rsa.pkcs1.pem"), include_str!("../../tests/fixtures/jwt/rsa.pkcs8.pem")];
const EC_JWK: &str = include_str!("../../tests/fixtures/jwt/ec.jwk.json");
const EC: [&str; 3] = [EC_JWK, include_str!("../../tests/fixtures/jwt/ec.sec1.pem"), include_str!("../../tests/fixtures/jwt/ec.pkcs8.pem")];

/// RFC 7515 appendix A.1.
const HMAC_JWK: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
const HS256: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Appendix A.2.
const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// Appendix A.3.
const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn key(text: &str, algorithm: JwtAlgorithm) -> JwtKey {
    JwtKey::read(&Secret::new(text), algorithm).unwrap_or_else(|fault| panic!("{}: {fault}", algorithm.as_str()))
}

fn claims() -> Map<String, Value> {
    let Value::Object(claims) = json!({ "iss": "joe", "exp": 1_300_819_380, "http://example.com/is_root": true }) else { unreachable!("an object") };
    claims
}

#[test]
fn the_examples_of_the_standard_verify() {
    let of = |jwk: &str, algorithm| JwtVerifier::of_jwk(&serde_json::from_str(jwk).unwrap(), algorithm).unwrap();
    for (jwk, algorithm, token) in [(HMAC_JWK, JwtAlgorithm::HS256, HS256), (RSA_JWK, JwtAlgorithm::RS256, RS256), (EC_JWK, JwtAlgorithm::ES256, ES256)] {
        assert_eq!(of(jwk, algorithm).verify(token).unwrap(), claims(), "{}", algorithm.as_str());
        // The last character of a signature holds bits that are not used, so another one is changed.
        let at = token.len() - 5;
        let forged = format!("{}{}{}", &token[..at], if &token[at..=at] == "A" { "B" } else { "A" }, &token[at + 1..]);
        assert_eq!(of(jwk, algorithm).verify(&forged).unwrap_err(), JwtFault::Signature, "{}", algorithm.as_str());
    }
    assert_eq!(of(RSA_JWK, JwtAlgorithm::PS256).verify(RS256).unwrap_err(), JwtFault::NotAToken("PS256"), "the key says the algorithm, not the token");
    // RFC 7515 appendix A.5: a token without a signature.
    let unsigned = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    assert_eq!(of(RSA_JWK, JwtAlgorithm::RS256).verify(unsigned).unwrap_err(), JwtFault::NotAToken("RS256"));
    assert_eq!(unverified_claims(unsigned), Some(claims()), "read without trust");
}

#[test]
fn an_rsa_key_in_every_wrapping_gives_the_signature_of_the_standard() {
    ciphers::install();
    let (message, signature) = RS256.rsplit_once('.').unwrap();
    for text in RSA {
        let key = key(text, JwtAlgorithm::RS256);
        assert_eq!(jsonwebtoken::crypto::sign(message.as_bytes(), &key.key, jsonwebtoken::Algorithm::RS256).unwrap(), signature, "PKCS 1 signatures are always the same");
        assert_eq!(key.fingerprint().unwrap(), "SHA256:b9E8JDWjYefFiM0X9V9a098Bd6ZsFyemogCEX016uIw=");
    }
    let escaped = RSA[2].replace('\n', "\\n");
    assert!(JwtKey::read(&Secret::new(escaped), JwtAlgorithm::RS256).is_ok(), "as it stands in a JSON file");
}

#[test]
fn what_is_signed_verifies_and_says_whose_key_it_was() {
    let texts = |algorithm| match algorithm {
        JwtAlgorithm::RS256 | JwtAlgorithm::PS256 => RSA.to_vec(),
        JwtAlgorithm::ES256 => EC.to_vec(),
        JwtAlgorithm::HS256 => vec![HMAC_JWK, "a client secret as it is"],
    };
    for algorithm in [JwtAlgorithm::RS256, JwtAlgorithm::PS256, JwtAlgorithm::ES256, JwtAlgorithm::HS256] {
        for text in texts(algorithm) {
            let key = key(text, algorithm);
            let token = key.sign(&claims(), Some("mine")).unwrap();
            assert_eq!(key.public().unwrap().verify(token.expose()).unwrap(), claims());
            let header = jsonwebtoken::decode_header(token.expose()).unwrap();
            assert_eq!((header.kid.as_deref(), header.typ.as_deref(), header.alg), (Some("mine"), Some("JWT"), algorithm.of_library()));
        }
    }
    assert_eq!(key(EC[1], JwtAlgorithm::ES256).fingerprint().unwrap(), "SHA256:K9G7DESol8MKeqCZHN442AYv5EHeUNoPRoJTRPYC6Cc=");
    assert_eq!(key(HMAC_JWK, JwtAlgorithm::HS256).fingerprint(), None);
    let named = HMAC_JWK.replacen('{', r#"{"kid":"own","#, 1);
    let token = key(&named, JwtAlgorithm::HS256).sign(&claims(), None).unwrap();
    assert_eq!(jsonwebtoken::decode_header(token.expose()).unwrap().kid.as_deref(), Some("own"));
}

#[test]
fn a_key_of_another_kind_is_told_when_it_is_read() {
    let fault = |text: &str, algorithm| JwtKey::read(&Secret::new(text), algorithm).err();
    assert_eq!(fault(EC[2], JwtAlgorithm::RS256), Some(JwtFault::WrongKind("RS256")));
    assert_eq!(fault(RSA[1], JwtAlgorithm::ES256), Some(JwtFault::WrongKind("ES256")));
    assert_eq!(fault(RSA[2], JwtAlgorithm::ES256), Some(JwtFault::WrongKind("ES256")));
    assert_eq!(fault(HMAC_JWK, JwtAlgorithm::RS256), Some(JwtFault::WrongKind("RS256")));
    for nothing in ["", "{}", "{\"kty\":1}", "a text", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"] {
        assert!(fault(nothing, JwtAlgorithm::ES256).is_some(), "{nothing}");
        assert!(fault(nothing, JwtAlgorithm::PS256).is_some(), "{nothing}");
    }
    let public = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }).to_string();
    assert_eq!(fault(&public, JwtAlgorithm::RS256), Some(JwtFault::NotAKey), "a public key cannot sign");
    for text in ["", "a.b", "a.b.c", "..", "a.eyJ9.c.d"] {
        assert_eq!(unverified_claims(text), None, "{text}");
    }
}
