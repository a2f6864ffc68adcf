//! Who is at the other end of a connection, as far as it can be believed.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::HeaderMap;
use axum::http::header::HOST;

use crate::options::Cidr;

/// The other end of a connection; put into each request's extensions by the listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether the connection is TLS of our own.
    pub tls: bool,
}

impl Default for Peer {
    /// A caller inside this machine, for requests that came over no connection.
    fn default() -> Self {
        Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), tls: false }
    }
}

/// The caller behind the proxies that are trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Caller {
    /// The nearest address that is no trusted proxy.
    pub(crate) address: IpAddr,
    /// Whether the caller's own connection is encrypted.
    pub(crate) secure: bool,
    /// Whether a caller may speak plain HTTP with us.
    pub(crate) plain_allowed: bool,
}

impl Caller {
    pub(crate) fn of(peer: Peer, headers: &HeaderMap, trusted: &[Cidr]) -> Self {
        let direct = peer.address.ip().to_canonical();
        let is_proxy = |address: IpAddr| trusted.iter().any(|block| block.contains(address));
        let behind_proxy = is_proxy(direct);
        let mut address = direct;
        let mut secure = peer.tls;
        if behind_proxy {
            // The list grows to the right; what a trusted proxy did not write itself is the caller's own claim.
            let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
            for hop in forwarded.collect::<Vec<_>>().into_iter().rev() {
                let Some(hop) = hop.trim().parse::<IpAddr>().ok() else { break };
                address = hop.to_canonical();
                if !is_proxy(address) {
                    break;
                }
            }
            let proto = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
            secure = proto.map_or(secure, |proto| proto.trim().eq_ignore_ascii_case("https"));
        }
        Self { address, secure, plain_allowed: behind_proxy || direct.is_loopback() }
    }

    /// The origin under which the caller addressed us, from its own `Host`.
    pub(crate) fn origin(&self, headers: &HeaderMap, authority: Option<&str>) -> Option<String> {
        let host = headers.get(HOST).and_then(|value| value.to_str().ok()).or(authority)?;
        Some(format!("{}://{}", if self.secure { "https" } else { "http" }, host.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(direct: &str, forwarded: &[(&'static str, &str)]) -> Caller {
        let mut headers = HeaderMap::new();
        for (name, value) in forwarded {
            headers.append(*name, value.parse().unwrap());
        }
        let peer = Peer { address: SocketAddr::new(direct.parse().unwrap(), 1), tls: false };
        Caller::of(peer, &headers, &["10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let claims = [("x-forwarded-for", "1.2.3.4, 10.0.0.7"), ("x-forwarded-proto", "https")];
        let believed = caller("10.0.0.1", &claims);
        assert_eq!((believed.address.to_string().as_str(), believed.secure, believed.plain_allowed), ("1.2.3.4", true, true));
        let stranger = caller("9.9.9.9", &claims);
        assert_eq!((stranger.address.to_string().as_str(), stranger.secure, stranger.plain_allowed), ("9.9.9.9", false, false));
        let own = caller("127.0.0.1", &claims);
        assert_eq!((own.address.to_string().as_str(), own.secure, own.plain_allowed), ("127.0.0.1", false, true));
    }

    #[test]
    fn a_claim_to_the_left_of_the_nearest_stranger_is_not_believed() {
        assert_eq!(caller("10.0.0.1", &[("x-forwarded-for", "127.0.0.1, 6.6.6.6")]).address.to_string(), "6.6.6.6");
        assert_eq!(caller("10.0.0.1", &[("x-forwarded-for", "6.6.6.6, rubbish")]).address.to_string(), "10.0.0.1");
    }
}
