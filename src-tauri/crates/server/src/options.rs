//! How to serve.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use patchbay_api::wire::host::StoreKind;
use patchbay_model::{Code, Problem};
use url::Url;

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address at which browsers and programs reach us, where it differs from the listening one.
    pub public_url: Option<Url>,
    /// Certificate and key; plain HTTP without.
    pub tls: Option<TlsFiles>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, and from which plain HTTP is taken.
    pub trusted_proxies: Vec<Cidr>,
    /// A name of the store for people, shown to whoever is signed in.
    pub store_label: String,
    /// What the store is.
    pub store_kind: StoreKind,
}

impl ServeOptions {
    /// Plain HTTP on this address, which must be a loopback address.
    pub fn local(listen: SocketAddr) -> Self {
        Self { listen, public_url: None, tls: None, trusted_proxies: Vec::new(), store_label: "Patchbay".to_owned(), store_kind: StoreKind::Sqlite }
    }

    /// Refuses options that would put secrets on the wire in clear. Binding checks them too; a program asks before it opens
    /// a store.
    ///
    /// # Errors
    /// `invalid_field` for the public URL, `invalid_request` for plain HTTP across a network.
    pub fn check(&self) -> Result<(), Problem> {
        if let Some(url) = &self.public_url
            && (!matches!(url.scheme(), "http" | "https")
                || url.host_str().is_none()
                || !matches!(url.path(), "" | "/")
                || url.query().is_some()
                || url.fragment().is_some()
                || !url.username().is_empty())
        {
            return Err(Problem::new(
                Code::InvalidField,
                format!("The public URL `{url}` must be an http or https address without path, query and user, such as https://patchbay.example.com."),
            ));
        }
        if self.tls.is_none() && self.trusted_proxies.is_empty() && !self.listen.ip().to_canonical().is_loopback() {
            return Err(Problem::new(
                Code::InvalidRequest,
                format!(
                    "Plain HTTP is not served on {}, because tokens would cross the network in clear. Give --tls-cert and --tls-key, listen on 127.0.0.1, or name the proxy in front with --trusted-proxy.",
                    self.listen
                ),
            ));
        }
        Ok(())
    }
}

/// Files of a certificate chain and its key, in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The private key (PKCS #8, PKCS #1 or SEC 1).
    pub key: PathBuf,
}

/// A block of addresses, `10.0.0.0/8` or `fd00::/8`; a bare address is a block of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cidr {
    base: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Whether an address is in the block. An IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => masked(u128::from(base.to_bits()), 32, self.bits) == masked(u128::from(address.to_bits()), 32, self.bits),
            (IpAddr::V6(base), IpAddr::V6(address)) => masked(base.to_bits(), 128, self.bits) == masked(address.to_bits(), 128, self.bits),
            _ => false,
        }
    }
}

fn masked(address: u128, width: u8, bits: u8) -> u128 {
    address.checked_shr(u32::from(width - bits)).unwrap_or(0)
}

impl FromStr for Cidr {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let bad = || Problem::new(Code::InvalidField, format!("`{}` is not a block of addresses. Write it as 10.0.0.0/8 or fd00::/8.", text.chars().take(60).collect::<String>()));
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits)),
        };
        let base: IpAddr = address.parse().map_err(|_| bad())?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(|_| bad())?;
        if bits > width { Err(bad()) } else { Ok(Self { base, bits }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_contain_their_addresses() {
        let block: Cidr = "10.1.0.0/16".parse().unwrap();
        assert!(block.contains("10.1.2.3".parse().unwrap()));
        assert!(block.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!block.contains("10.2.0.1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Cidr>().unwrap().contains("8.8.8.8".parse().unwrap()));
        assert!("::/0".parse::<Cidr>().unwrap().contains("2001:db8::1".parse().unwrap()));
        assert!(!"fd00::/8".parse::<Cidr>().unwrap().contains("10.0.0.1".parse().unwrap()));
        for bad in ["", "x", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1"] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad:?} must be refused");
        }
    }

    #[test]
    fn plain_http_stays_on_loopback_or_behind_a_proxy() {
        let mut options = ServeOptions::local("0.0.0.0:80".parse().unwrap());
        assert!(options.check().is_err());
        options.trusted_proxies.push("10.0.0.0/8".parse().unwrap());
        assert!(options.check().is_ok());
        assert!(ServeOptions::local("[::1]:80".parse().unwrap()).check().is_ok());
        for bad in ["ftp://x", "https://x/path", "https://u@x", "https://x/?q"] {
            let options = ServeOptions { public_url: Some(bad.parse().unwrap()), ..ServeOptions::local("127.0.0.1:0".parse().unwrap()) };
            assert!(options.check().is_err(), "{bad} must be refused");
        }
    }
}
