//! The policy of a point is checked when it is written: what it prescribes must be something that the provider knows and that
//! an integration can have.

use patchbay_model::connector::Connector;
use patchbay_model::credential::CredentialKind;
use patchbay_model::definition::Definition;
use patchbay_model::point::{PointPolicy, ProviderPolicy};
use patchbay_model::{Code, Problem, ProviderId};
use patchbay_providers::{Catalog, Provider};
use patchbay_store::ReadTx;
use serde_json::Value;

use crate::integration::config::escaped;
use crate::{Engine, schema};

/// A policy may be at most this large, in bytes of JSON: it is read with every call under the point.
const LARGEST: usize = 64 << 10;
/// Scopes of one provider: more than any provider has.
const MOST_SCOPES: usize = 100;
const AT: &str = "/x_patchbay/policy";

/// Checks a policy against the definitions that new integrations pin.
///
/// # Errors
/// `invalid_field` and `invalid_config` with a pointer into `/x_patchbay/policy`; problems of the store.
pub(super) async fn checked(engine: &Engine, tx: &mut ReadTx, connector: Connector, policy: PointPolicy) -> Result<PointPolicy, Problem> {
    if serde_json::to_vec(&policy).map_or(usize::MAX, |text| text.len()) > LARGEST {
        return Err(Problem::field(AT, format!("{AT} must be at most {} kB. Shorten it.", LARGEST >> 10)));
    }
    let catalog = engine.catalog_of(tx).await?;
    for (id, provided) in &policy.providers {
        let at = format!("{AT}/providers/{id}");
        let provider = known(&catalog, connector, id, &at)?;
        let definition = match tx.active_definition(id).await? {
            Some(active) => Some(active),
            None => tx.definitions_of(id).await?.into_iter().next(),
        };
        let definition = definition.ok_or_else(|| Problem::internal(format!("the provider {id} has no definition in the store")))?;
        members(&definition, provided, &at)?;
        scopes(provider, provided, &at)?;
    }
    Ok(policy)
}

fn known<'a>(catalog: &'a Catalog, connector: Connector, id: &ProviderId, at: &str) -> Result<&'a Provider, Problem> {
    match catalog.get(id) {
        Some(provider) if provider.connector() == connector => Ok(provider),
        Some(provider) => Err(Problem::field(
            at,
            format!("{at}: `{id}` is a provider of the connector `{}`, and this point governs `{}`. Remove it.", provider.connector().as_str(), connector.as_str()),
        )),
        None => Err(Problem::field(at, format!("{at}: there is no provider `{id}`. Take one from GET /v1/capabilities/providers."))),
    }
}

fn members(definition: &Definition, policy: &ProviderPolicy, at: &str) -> Result<(), Problem> {
    for (word, prescribed) in [("locked", &policy.locked), ("defaults", &policy.defaults)] {
        for (member, value) in prescribed {
            let at = format!("{at}/{word}/{}", escaped(&member.chars().take(80).collect::<String>()));
            let refused = |what: String| Err(Problem::new(Code::InvalidConfig, format!("{at} {what}")).at_body(&at));
            let Some(member_schema) = definition.config_member(member) else {
                let all = definition.config_members().map(|(member, _)| member).collect::<Vec<_>>().join(", ");
                return refused(format!("is no member of the configuration of {}. There are {all}.", definition.provider));
            };
            if member_schema.get("writeOnly") == Some(&Value::Bool(true)) {
                return refused("is a secret, and a policy is readable. Use a credential of the integration point.".to_owned());
            }
            if word == "defaults" && policy.locked.contains_key(member) {
                return refused("is locked already, so it needs no default. Remove one of the two.".to_owned());
            }
            schema::check(member_schema, value, &at)?;
        }
    }
    Ok(())
}

/// Scopes as RFC 6749 section 3.3 writes them. Whether the provider knows them is for the provider to say.
fn scopes(provider: &Provider, policy: &ProviderPolicy, at: &str) -> Result<(), Problem> {
    let at = format!("{at}/scopes");
    if policy.scopes.is_empty() {
        return Ok(());
    }
    if !provider.manifest().credential.iter().any(|option| option.kind == CredentialKind::OAuthUser) {
        return Err(Problem::field(&at, format!("{at}: {} is not connected by consent, so no scopes are asked. Remove them.", provider.fullname())));
    }
    if policy.scopes.len() > MOST_SCOPES {
        return Err(Problem::field(&at, format!("{at} may have at most {MOST_SCOPES} scopes.")));
    }
    for (index, scope) in policy.scopes.iter().enumerate() {
        let at = format!("{at}/{index}");
        let good = (1..=200).contains(&scope.len()) && scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
        if !good {
            return Err(Problem::field(&at, format!("{at} must be one scope: 1 to 200 visible ASCII characters without space, quote and backslash. Correct it.")));
        }
        if policy.scopes.iter().take(index).any(|before| before == scope) {
            return Err(Problem::field(&at, format!("{at} stands twice. Remove one.")));
        }
    }
    Ok(())
}
