//! Bounds on rows of refused calls: an attacker must not fill the disk with the log of its own attempts. Each source has so
//! many rows a minute, and all strangers together too; what goes beyond is counted, and told in one row when the minute is over.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use patchbay_model::{MemberId, OrganizationId, Timestamp};

/// Rows a minute of one address whose caller is not known.
const PER_ADDRESS: u32 = 30;
/// Rows a minute of all such addresses together.
const STRANGERS: u32 = 300;
/// Rows a minute of one member, whose programs may be many and honest.
const PER_MEMBER: u32 = 600;

/// Who was refused.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Source {
    /// Somebody with a valid token or session.
    Member(MemberId),
    /// Nobody known, at this address. Of IPv6 the network counts (RFC 6177): its owner has all addresses in it.
    Address(String),
    /// Addresses beyond those that are counted one by one.
    Others,
}

impl Source {
    /// The source of a caller without a grant.
    pub(super) fn stranger(remote_addr: &str) -> Self {
        Self::Address(match remote_addr.parse() {
            Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => {
                let [a, b, c, d, ..] = address.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            _ => remote_addr.chars().take(100).collect(),
        })
    }
}

/// What was counted and not written, of one source in one minute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Suppressed {
    pub(super) organization: OrganizationId,
    pub(super) source: Source,
    /// How many of each code.
    pub(super) codes: BTreeMap<&'static str, u64>,
}

#[derive(Default)]
struct Tally {
    rows: u32,
    suppressed: BTreeMap<&'static str, u64>,
}

#[derive(Default)]
struct Minute {
    number: i64,
    strangers: u32,
    sources: HashMap<(OrganizationId, Source), Tally>,
}

/// The rows of the running minute. A process counts its own.
#[derive(Default)]
pub(crate) struct Floods(Mutex<Minute>);

impl Floods {
    /// Whether a refusal gets a row of its own; if not, it is counted.
    pub(super) fn admit(&self, organization: OrganizationId, source: Source, code: &'static str) -> bool {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stranger = !matches!(source, Source::Member(_));
        let full = stranger && minute.strangers >= STRANGERS;
        // With all places taken, addresses that have none are counted as one: they could be without number.
        let key = (organization, source);
        let key = if full && !minute.sources.contains_key(&key) { (organization, Source::Others) } else { key };
        let most = if stranger { PER_ADDRESS } else { PER_MEMBER };
        let tally = minute.sources.entry(key).or_default();
        if full || tally.rows >= most {
            *tally.suppressed.entry(code).or_default() += 1;
            return false;
        }
        tally.rows += 1;
        minute.strangers += u32::from(stranger);
        true
    }

    /// What was counted in a minute that is over, or in any where `all`; each is told once.
    pub(super) fn over(&self, now: Timestamp, all: bool) -> Vec<Suppressed> {
        let number = now.unix_micros().div_euclid(60_000_000);
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number == number && !all {
            return Vec::new();
        }
        let sources = std::mem::take(&mut *minute).sources;
        minute.number = number;
        sources
            .into_iter()
            .filter(|(_, tally)| !tally.suppressed.is_empty())
            .map(|((organization, source), tally)| Suppressed { organization, source, codes: tally.suppressed })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn organization() -> OrganizationId {
        OrganizationId::from_uuid(Uuid::from_u128(1))
    }

    #[test]
    fn an_address_has_so_many_rows_and_the_rest_is_counted() {
        let floods = Floods::default();
        let (now, later): (Timestamp, Timestamp) = ("2026-11-22T00:00:01Z".parse().unwrap(), "2026-11-22T00:01:00Z".parse().unwrap());
        assert!(floods.over(now, false).is_empty());
        let written = (0..1000).filter(|_| floods.admit(organization(), Source::stranger("192.0.2.7"), "token_invalid")).count();
        assert_eq!(written, PER_ADDRESS as usize);
        assert!(floods.admit(organization(), Source::stranger("192.0.2.8"), "token_invalid"), "another address is not concerned");
        assert!(floods.over(now, false).is_empty(), "the minute is not over");
        let told = floods.over(later, false);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].source.clone(), told[0].codes["token_invalid"]), (Source::stranger("192.0.2.7"), 1000 - u64::from(PER_ADDRESS)));
        assert!(floods.over(later, false).is_empty(), "once");
        assert!(floods.admit(organization(), Source::stranger("192.0.2.7"), "token_invalid"), "a new minute");
    }

    #[test]
    fn many_addresses_are_bounded_together_and_in_memory() {
        let floods = Floods::default();
        let now = "2026-11-22T00:00:01Z".parse().unwrap();
        floods.over(now, false);
        let written = (0..100_000u32).filter(|n| floods.admit(organization(), Source::stranger(&std::net::Ipv4Addr::from(*n).to_string()), "token_missing")).count();
        assert_eq!(written, STRANGERS as usize);
        assert!(floods.0.lock().unwrap().sources.len() <= STRANGERS as usize + 1);
        assert!(floods.admit(organization(), Source::Member(MemberId::from_uuid(Uuid::from_u128(2))), "not_found"), "members are not silenced by strangers");
        let told = floods.over(now, true);
        assert_eq!(told.iter().map(|told| told.codes["token_missing"]).sum::<u64>(), 100_000 - u64::from(STRANGERS));
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        assert_eq!(Source::stranger("2001:db8:1:2:aaaa::1"), Source::stranger("2001:db8:1:2:bbbb::2"));
        assert_ne!(Source::stranger("2001:db8:1:2::1"), Source::stranger("2001:db8:1:3::1"));
    }
}
