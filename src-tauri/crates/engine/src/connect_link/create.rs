//! Makes a connect link.

use std::time::Duration;

use patchbay_model::account::Account;
use patchbay_model::change::ChangeKind;
use patchbay_model::connector::Connector;
use patchbay_model::public_link::{LinkSettings, PublicLink, PublicLinkPurpose};
use patchbay_model::token::SecretKind;
use patchbay_model::{Code, EndUserId, IntegrationId, IntegrationPointId, Operation, Problem, ProviderId, PublicLinkId};
use patchbay_store::ReadTx;
use patchbay_vault::mint_token;
use url::Url;

use super::{CreateConnectLink, MadeLink, open};
use crate::audit::record::{Done, record};
use crate::session::hash;
use crate::token::lifetime;
use crate::{Engine, ManagementGrant, reach};

const DAY: u64 = 24 * 3600;
/// How long a link works where nothing is said.
const LASTS: Duration = Duration::from_secs(7 * DAY);
/// The longest that may be asked for.
const LONGEST: Duration = Duration::from_secs(30 * DAY);
/// Most connections that one link can make.
const MOST_USES: u32 = 1000;
/// Longest address that the last page leads back to.
const LONGEST_URL: usize = 2000;

/// What a link connects.
#[derive(Default)]
struct Target {
    integration: Option<IntegrationId>,
    point: Option<IntegrationPointId>,
    provider: Option<ProviderId>,
}

/// Makes a connect link. Its maker must itself be able to do what it lets do.
///
/// # Errors
/// `not_found`, `permission_denied`, `invalid_field`, `provider_not_allowed`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreateConnectLink) -> Result<MadeLink, Problem> {
    let lasts = lifetime::parse(new.ttl.as_deref().filter(|text| !text.is_empty()), LASTS, LONGEST, "/ttl")?;
    let uses = new.uses.unwrap_or(1);
    if !(1..=MOST_USES).contains(&uses) {
        return Err(Problem::field("/uses", format!("The uses must be between 1 and {MOST_USES}.")));
    }
    let return_url = return_url(new.return_url.as_deref())?;
    let mut tx = reach::writing(engine, grant).await?;
    let account = reach::account(&mut tx, grant, &new.account).await?;
    let (target, category) = target(engine, &mut tx, grant, &account, &new).await?;
    for operation in
        [Operation::ConnectLinksCreate, Operation::ConnectBegin, if target.integration.is_some() { Operation::IntegrationsUpdate } else { Operation::IntegrationsCreate }]
    {
        grant.require_new_in(operation, &account, category)?;
    }
    let end_user = match new.end_user.as_deref().filter(|reference| !reference.is_empty()) {
        Some(reference) => {
            let unknown = || Problem::not_found(EndUserId::NOUN, reference).at_body("/end_user_id");
            Some(tx.find_end_user(account.id, reference).await?.ok_or_else(unknown)?.id)
        }
        None => None,
    };
    let now = engine.now();
    let link = PublicLink {
        id: PublicLinkId::from_uuid(engine.context().new_uuid()),
        organization_id: account.organization_id,
        account_id: Some(account.id),
        integration_id: target.integration,
        integration_point_id: target.point,
        end_user_id: end_user,
        receipt_id: None,
        member_id: grant.member(),
        purpose: PublicLinkPurpose::Connect,
        settings: LinkSettings { provider: target.provider, return_url, ..LinkSettings::default() },
        expires: now.plus(lasts),
        uses_left: Some(uses),
        last_used_at: None,
        revoked_at: None,
        created_at: now,
    };
    let secret = mint_token(SecretKind::ConnectLink, engine.context().entropy());
    let hash = hash(engine, secret.expose(), SecretKind::ConnectLink).ok_or_else(|| Problem::internal("a link just made has no good shape"))?;
    tx.insert_public_link(&link, &hash).await?;
    let mut done = Done::created(Operation::ConnectLinksCreate).in_account(account.id).object(ChangeKind::ConnectLink, link.id.uuid()).giving(link.id, account.name.as_str());
    if let Some(integration) = link.integration_id {
        done = done.on_integration(integration);
    }
    record(engine, &mut tx, grant, done).await?;
    tx.commit().await?;
    Ok(MadeLink { link, secret })
}

/// What the link is to connect, and of which category that is.
async fn target(engine: &Engine, tx: &mut ReadTx, grant: &ManagementGrant, account: &Account, new: &CreateConnectLink) -> Result<(Target, Connector), Problem> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (given(&new.integration), given(&new.integration_point), given(&new.provider)) {
        (Some(reference), None, None) => {
            let found = tx.find_integration(account.id, &reference).await?.filter(|integration| grant.reaches_category(account, integration.connector));
            let integration = found.ok_or_else(|| Problem::not_found("integration", &reference).at_body("/integration_id"))?;
            Ok((Target { integration: Some(integration.id), ..Target::default() }, integration.connector))
        }
        (None, Some(reference), None) => {
            let point = reach::point(tx, &reference).await.map_err(|problem| problem.at_body("/integration_point_id"))?;
            if open::offered(engine, tx, account, &point).await?.is_empty() {
                return Err(Problem::new(
                    Code::ProviderNotAllowed,
                    format!(
                        "Integration point `{}` allows no provider for `{}` accounts such as `{}`. Allow one there first.",
                        point.name,
                        account.environment.as_str(),
                        account.name
                    ),
                )
                .at_body("/integration_point_id")
                .with_resource("integration_point", point.id, "cause"));
            }
            Ok((Target { point: Some(point.id), ..Target::default() }, point.connector))
        }
        (None, None, Some(reference)) => {
            let known = match ProviderId::parse(&reference) {
                Ok(id) => tx.active_definition(&id).await?,
                Err(_) => None,
            };
            let definition = known.ok_or_else(|| Problem::field("/provider", "There is no such provider for new integrations. Take one from GET /v1/capabilities/providers."))?;
            Ok((Target { provider: Some(definition.provider), ..Target::default() }, definition.connector))
        }
        _ => Err(Problem::field("/integration_id", "Say what the link connects by exactly one of integration_id, integration_point_id and provider.")),
    }
}

/// Reads the address that the last page leads back to.
fn return_url(text: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let good = Url::parse(text).ok().filter(|url| text.len() <= LONGEST_URL && matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none());
    match good {
        Some(url) => Ok(Some(url.into())),
        None => Err(Problem::field("/return_url", format!("The return_url must be an http or https URL without user name, of at most {LONGEST_URL} characters."))),
    }
}

#[cfg(test)]
mod tests {
    use super::return_url;

    #[test]
    fn the_way_back_is_a_web_address() {
        assert_eq!(return_url(Some(" https://app.example.com/done?x=1 ")).unwrap().as_deref(), Some("https://app.example.com/done?x=1"));
        assert_eq!(return_url(Some("")).unwrap(), None);
        for bad in ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/done", "https://ada@example.com/", "file:///etc/passwd"] {
            assert!(return_url(Some(bad)).is_err(), "{bad}");
        }
    }
}
