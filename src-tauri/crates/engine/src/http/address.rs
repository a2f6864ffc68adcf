//! Which addresses Patchbay may talk to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::Url;

/// Whether targets inside private networks may be called. Said by the operator alone, never by a configuration that a
/// caller can write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NetworkPolicy {
    /// Allows loopback, private, shared and link-local addresses, and plain `http://` to those.
    pub allow_private: bool,
    /// Plays every provider by a simulator: then nothing leaves this computer.
    pub rehearsal: Option<Rehearsal>,
}

/// A simulator on this computer that takes the place of every provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rehearsal {
    simulator: SocketAddr,
}

impl Rehearsal {
    /// The simulator that listens there. None for an address that is not this computer's own.
    pub fn at(simulator: SocketAddr) -> Option<Self> {
        simulator.ip().is_loopback().then_some(Self { simulator })
    }

    /// Where an address of a provider is played: its host becomes the first segment of the path.
    pub fn address(&self, provider: &Url) -> Url {
        let place = &provider[url::Position::BeforeHost..url::Position::BeforePath];
        let text = format!("http://{}/{place}{}", self.simulator, &provider[url::Position::BeforePath..url::Position::AfterQuery]);
        // An address with a host in front of its path is one wherever that host stands.
        Url::parse(&text).unwrap_or_else(|_| provider.clone())
    }
}

/// What kind of network an address lies in (IANA special-purpose registries, RFC 6890).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// The Internet.
    Public,
    /// Loopback, private, shared (RFC 6598), link-local and unique local addresses.
    Private,
    /// No provider can live there: metadata services of clouds, multicast, reserved and documentation ranges.
    Never,
}

impl NetworkPolicy {
    /// The address under which a person's browser finds a page of a provider: its own, but in a rehearsal.
    pub fn shown(self, provider: Url) -> Url {
        match self.rehearsal {
            Some(rehearsal) => rehearsal.address(&provider),
            None => provider,
        }
    }

    /// Whether `address` may be connected to. Plain text (`tls` false) stays inside networks that the operator opened.
    pub(crate) fn allows(self, address: IpAddr, tls: bool) -> bool {
        match reach(address) {
            Reach::Public => tls,
            Reach::Private => self.allow_private,
            Reach::Never => false,
        }
    }
}

/// Whether an address can be called only where the operator allows private networks.
pub fn is_private(address: IpAddr) -> bool {
    reach(address) == Reach::Private
}

/// Classifies an address. An IPv6 address that only wraps an IPv4 address is judged by what it wraps.
pub(crate) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

/// Metadata service of most clouds, of Alibaba Cloud and of Oracle Cloud: whoever reaches one gets the machine's credentials.
const METADATA_V4: [Ipv4Addr; 3] = [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
/// Metadata service of AWS over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn reach_v4(address: Ipv4Addr) -> Reach {
    if METADATA_V4.contains(&address) {
        return Reach::Never;
    }
    match address.octets() {
        [10 | 127, ..] | [192, 168, ..] | [169, 254, ..] => Reach::Private,
        [172, b, ..] if (16..32).contains(&b) => Reach::Private,
        [100, b, ..] if (64..128).contains(&b) => Reach::Private,
        [0, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let s = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        reach_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private,
        // Unspecified, and IPv4-compatible or -mapped addresses; NAT64 (RFC 6052); 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Never,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        _ if address == METADATA_V6 => Reach::Never,
        [0xfc00..=0xfdff, ..] | [0xfe80..=0xfeff, ..] => Reach::Private,
        // Global unicast is 2000::/3; of it, Teredo and the other protocol assignments (2001::/23) and documentation are out.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach_of(text: &str) -> Reach {
        reach(text.parse().unwrap())
    }

    #[test]
    fn private_ranges_are_known_in_every_spelling() {
        for text in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "::ffff:127.0.0.1",
            "::ffff:10.1.2.3",
            "::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "::ffff:0:192.168.0.1",
        ] {
            assert_eq!(reach_of(text), Reach::Private, "{text} is private");
        }
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "100.100.100.200",
            "fd00:ec2::254",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "203.0.113.9",
            "::",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "64:ff9b:1::1",
            "64:ff9b::169.254.169.254",
            "4000::1",
        ] {
            assert_eq!(reach_of(text), Reach::Never, "{text} is never a provider");
        }
        for text in ["1.1.1.1", "172.32.0.1", "172.15.0.1", "100.63.0.1", "100.128.0.1", "192.1.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::"] {
            assert_eq!(reach_of(text), Reach::Public, "{text} is public");
        }
    }

    #[test]
    fn a_rehearsal_stays_on_this_computer() {
        assert!(Rehearsal::at("192.168.1.1:80".parse().unwrap()).is_none() && Rehearsal::at("0.0.0.0:80".parse().unwrap()).is_none());
        let rehearsal = Rehearsal::at("127.0.0.1:4000".parse().unwrap()).unwrap();
        let address = |text: &str| rehearsal.address(&text.parse().unwrap()).to_string();
        assert_eq!(address("https://api.example.com/a%20b/c?d=e%26"), "http://127.0.0.1:4000/api.example.com/a%20b/c?d=e%26");
        assert_eq!(address("https://example.com:8443"), "http://127.0.0.1:4000/example.com:8443/");
        let policy = NetworkPolicy { rehearsal: Some(rehearsal), ..NetworkPolicy::default() };
        assert_eq!(policy.shown("https://x.example/y".parse().unwrap()).as_str(), "http://127.0.0.1:4000/x.example/y");
        assert_eq!(NetworkPolicy::default().shown("https://x.example/y".parse().unwrap()).as_str(), "https://x.example/y");
    }

    #[test]
    fn plain_text_stays_inside_what_the_operator_opened() {
        let (closed, open) = (NetworkPolicy::default(), NetworkPolicy { allow_private: true, ..NetworkPolicy::default() });
        let (public, private, metadata) = (IpAddr::from([1, 1, 1, 1]), IpAddr::from([127, 0, 0, 1]), IpAddr::from([169, 254, 169, 254]));
        assert!(closed.allows(public, true) && open.allows(public, true));
        assert!(!closed.allows(public, false) && !open.allows(public, false), "no plain http to the Internet");
        assert!(!closed.allows(private, true) && !closed.allows(private, false));
        assert!(open.allows(private, true) && open.allows(private, false));
        assert!(!open.allows(metadata, true) && !open.allows(metadata, false), "metadata services are never a provider");
    }
}
