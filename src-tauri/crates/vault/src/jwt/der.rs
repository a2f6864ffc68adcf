//! As much of DER (X.690) as it takes to put a key from one wrapping into another.

use zeroize::Zeroizing;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const EXPLICIT_1: u8 = 0xa1;

/// `rsaEncryption` (RFC 8017 appendix C) with its NULL.
const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// `id-ecPublicKey` on `secp256r1` (RFC 5480 section 2.1).
const P256: &[u8] = &[0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Bytes of a key, cleared when dropped.
pub(super) type Der = Zeroizing<Vec<u8>>;

fn wrapped(tag: u8, parts: &[&[u8]]) -> Der {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut der = Zeroizing::new(Vec::with_capacity(length + 4));
    der.push(tag);
    let bytes = length.to_be_bytes();
    if length < 0x80 {
        der.push(bytes[bytes.len() - 1]);
    } else {
        let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
        // At most eight bytes of length.
        der.push(0x80 | u8::try_from(bytes.len() - first).unwrap_or(8));
        der.extend_from_slice(&bytes[first..]);
    }
    parts.iter().for_each(|part| der.extend_from_slice(part));
    der
}

/// A number that is not negative.
fn integer(bytes: &[u8]) -> Der {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let digits = &bytes[first..];
    if digits.first().is_none_or(|byte| byte & 0x80 != 0) { wrapped(INTEGER, &[&[0], digits]) } else { wrapped(INTEGER, &[digits]) }
}

/// `RSAPrivateKey` (RFC 8017 appendix A.1.2) of n, e, d, p, q, dp, dq and qi.
pub(super) fn rsa_private(numbers: &[Der; 8]) -> Der {
    let written: Vec<Der> = std::iter::once(integer(&[])).chain(numbers.iter().map(|number| integer(number))).collect();
    wrapped(SEQUENCE, &written.iter().map(|part| part.as_slice()).collect::<Vec<_>>())
}

/// `ECPrivateKey` (RFC 5915) with its public point.
pub(super) fn ec_private(d: &[u8], point: &[u8]) -> Der {
    let public = wrapped(EXPLICIT_1, &[&wrapped(BIT_STRING, &[&[0], point])]);
    wrapped(SEQUENCE, &[&integer(&[1]), &wrapped(OCTET_STRING, &[d]), &public])
}

/// `PrivateKeyInfo` (RFC 5208) around an `ECPrivateKey` on P-256.
pub(super) fn ec_pkcs8(private: &[u8]) -> Der {
    wrapped(SEQUENCE, &[&integer(&[]), P256, &wrapped(OCTET_STRING, &[private])])
}

/// `SubjectPublicKeyInfo` (RFC 5280) of an RSA key.
pub(super) fn rsa_info(public: &[u8]) -> Der {
    wrapped(SEQUENCE, &[RSA, &wrapped(BIT_STRING, &[&[0], public])])
}

/// `SubjectPublicKeyInfo` of a key on P-256.
pub(super) fn ec_info(point: &[u8]) -> Der {
    wrapped(SEQUENCE, &[P256, &wrapped(BIT_STRING, &[&[0], point])])
}
