use std::time::Duration;

use patchbay_model::{ProviderAppId, Timestamp};

use super::nightly::next_night;
use super::page;

#[test]
fn every_app_has_its_moment_in_every_night() {
    let app = |number: u128| ProviderAppId::from_uuid(uuid::Uuid::from_u128(number));
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(next_night(app(0), at("2026-11-22T01:59:59.5Z")), at("2026-11-22T02:00:00Z"));
    assert_eq!(next_night(app(0), at("2026-11-22T02:00:00Z")), at("2026-11-23T02:00:00Z"));
    assert_eq!(next_night(app(10_799), at("2026-11-22T23:00:00Z")), at("2026-11-23T04:59:59Z"));
    assert_eq!(next_night(app(10_800), at("2026-12-31T12:00:00Z")), at("2027-01-01T02:00:00Z"));
    let first = next_night(app(777), at("2026-11-22T12:00:00Z"));
    assert_eq!(next_night(app(777), first), first.plus(Duration::from_secs(86_400)));
}

#[test]
fn a_page_is_read_as_a_person_would() {
    let html = b"<!doctype html><html><head><title>Error</title><style>b{redirect_uri:1}</style></head><body><p id=error>invalid_redirect_uri: the client&#39;s <b>redirect_uri</b> &lt;x&gt;</p><script>var a = '<b>hidden</b>'</script>end</body>";
    assert_eq!(page::text(html), "Error invalid_redirect_uri: the client's redirect_uri <x> end");
    assert_eq!(page::text(b"plain < text"), "plain");
    assert_eq!(page::text(b"<script>never ends"), "");
}
