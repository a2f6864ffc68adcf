use patchbay_model::Secret;
use patchbay_providers::Catalog;
use serde_json::json;

use super::*;

fn set(access: &str, refresh: Option<&str>) -> TokenSet {
    let mut fields = json!({ "access_token": access, "obtained": "2026-11-23T00:00:00Z", "expires": "2026-11-23T01:00:00Z" });
    if let Some(refresh) = refresh {
        fields["refresh_token"] = refresh.into();
    }
    TokenSet::from_secret(&Secret::new(fields.to_string())).unwrap()
}

#[test]
fn what_becomes_of_tokens_that_others_take_the_place_of() {
    let catalog = Catalog::builtin().unwrap();
    let fate = |id: &str, before: &TokenSet, now: &TokenSet| Fate::of(catalog.find(id).unwrap(), Some("o_auth_user"), before, now);
    let (before, now) = (set("a", Some("r")), set("b", Some("s")));
    for (id, expected) in [
        ("storage_dropbox", Fate::Ended),
        ("identity_okta", Fate::Ended),
        ("crm_hubspot", Fate::Ended),
        ("crm_zoho", Fate::Ended),
        ("ticketing_servicenow", Fate::Ended),
        ("ticketing_github", Fate::OneGrant),
        ("identity_google", Fate::OneGrant),
        ("accounting_xero", Fate::OneGrant),
        ("identity_openid", Fate::Unverified),
        ("custom_notion", Fate::Unverified),
        ("chat_slack", Fate::Unverified),
        ("ticketing_jira", Fate::NoWay),
    ] {
        assert_eq!(fate(id, &before, &now), expected, "{id}");
    }
    // Some give the same once more to whoever agrees anew: ended there, it would be gone here.
    assert_eq!(fate("storage_dropbox", &before, &set("b", Some("r"))), Fate::Shared);
    assert_eq!(fate("storage_dropbox", &set("a", None), &set("a", None)), Fate::Shared);
    assert_eq!(Fate::of(catalog.find("storage_dropbox").unwrap(), None, &before, &now), Fate::NoWay);
}
