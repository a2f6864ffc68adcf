//! Writes the configuration of an organization.

use std::collections::BTreeMap;

use patchbay_model::credential::{Credential, CredentialKind, CredentialOwner};
use patchbay_model::definition::DefinitionStatus;
use patchbay_model::integration::IntegrationStatus;
use patchbay_model::json::canonical;
use patchbay_model::list::ListQuery;
use patchbay_model::member::MemberState;
use patchbay_model::point::ProviderPolicy;
use patchbay_model::time::format_lifetime;
use patchbay_model::{CredentialId, Operation, Problem, Scope, Secret};
use patchbay_store::SecretReadTx;
use patchbay_vault::{AgeRecipient, seal_to_age};
use serde_json::Value;

use super::document::{Account, App, CredentialUse, Document, Fields, Integration, Member, Named, Organization, Point, SecretMark, SharedCredential, Webhook};
use super::{ExportOptions, SecretsMode};
use crate::audit::record::{Done, record};
use crate::credential::config::{required_fields, secret_fields};
use crate::credential::update::open;
use crate::sealing::shared_place;
use crate::{Engine, ManagementGrant, reach};

/// Stands above the document.
const HEADER: &str =
    "# Configuration of a Patchbay organization. Tokens, sessions and passwords are never in it.\n# Every secret says `omitted`, or `sealed` to an age recipient.\n";

/// Writes the organization's configuration as the text of a `patchbay.yaml`, version 1.
///
/// # Errors
/// `permission_denied`, `invalid_field` for a recipient that cannot be read, problems of the store.
pub async fn export(engine: &Engine, grant: &ManagementGrant, options: ExportOptions) -> Result<String, Problem> {
    grant.require(Operation::ConfigurationExport, None)?;
    let recipient = match &options.secrets {
        SecretsMode::Omitted => None,
        SecretsMode::Sealed { recipient } => Some(AgeRecipient::parse(recipient).map_err(|problem| problem.at_body("/recipient"))?),
    };
    // One view for all of it: nothing that is written meanwhile stands half in the file.
    let mut writer = Writer { engine, tx: engine.store().read_secrets(Scope::Organization(grant.organization())).await?, recipient };
    let document = writer.document().await?;
    drop(writer);
    let body = yaml_serde::to_string(&document).map_err(|_| Problem::internal("the configuration cannot be written as YAML"))?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    record(engine, &mut tx, grant, Done::changed(Operation::ConfigurationExport)).await?;
    tx.commit().await?;
    Ok(format!("{HEADER}{body}"))
}

struct Writer<'a> {
    engine: &'a Engine,
    tx: SecretReadTx,
    recipient: Option<AgeRecipient>,
}

/// Everything of a list, page by page. A macro, because the future of a closure that borrows the transaction could not be
/// handed from thread to thread.
macro_rules! all {
    ($tx:expr, $list:ident $(, $owner:expr)?) => {{
        let mut query = ListQuery { limit: Some(ListQuery::MAX_LIMIT), ..ListQuery::default() };
        let mut rows = Vec::new();
        loop {
            let page = $tx.$list($($owner,)? &query).await?;
            rows.extend(page.items);
            if page.next.is_none() {
                break rows;
            }
            query.start_after = page.next;
        }
    }};
}

impl Writer<'_> {
    async fn document(&mut self) -> Result<Document, Problem> {
        let organization = self.tx.organization().await?;
        let mut options = BTreeMap::new();
        let policy = &organization.options;
        for (key, lifetime) in [("invite_duration", policy.invite_duration), ("forgot_duration", policy.forgot_duration), ("password_duration", policy.password_duration)] {
            if let Some(lifetime) = lifetime {
                options.insert(key, Value::from(format_lifetime(lifetime)));
            }
        }
        if let Some(length) = policy.minimum_password_length {
            options.insert("minimum_password_length", Value::from(length));
        }
        Ok(Document {
            version: 1,
            organization: Organization {
                name: organization.name.to_string(),
                fullname: organization.fullname.to_string(),
                contact: organization.contact,
                reply_to: organization.reply_to,
                picture: organization.picture,
                options,
            },
            members: self.members().await?,
            integration_points: self.points().await?,
            provider_apps: self.apps().await?,
            manifests: self.manifests().await?,
            webhooks: self.webhooks().await?,
            accounts: self.accounts().await?,
        })
    }

    async fn manifests(&mut self) -> Result<Named<String>, Problem> {
        let active = self.tx.own_definitions().await?.into_iter().filter(|definition| definition.status == DefinitionStatus::Active);
        Ok(active.filter_map(|definition| Some((definition.provider.to_string(), definition.manifest?))).collect())
    }

    async fn members(&mut self) -> Result<Named<Member>, Problem> {
        let members = all!(self.tx, members);
        Ok(members
            .into_iter()
            .map(|member| {
                let exported = Member {
                    fullname: member.fullname.to_string(),
                    nickname: member.nickname,
                    member_type: member.member_type,
                    roles: member.role_binding.iter().map(ToString::to_string).collect(),
                    token_ttl: format_lifetime(member.token_ttl),
                    disabled: member.state == MemberState::Disabled,
                };
                (member.name.to_string(), exported)
            })
            .collect())
    }

    async fn points(&mut self) -> Result<Named<Point>, Problem> {
        let mut points = Named::new();
        for point in all!(self.tx, points) {
            let exported = Point {
                fullname: point.fullname.to_string(),
                description: point.description,
                connector: point.connector.as_str(),
                environments: point.environments,
                policy: point.policy.providers.into_iter().filter(|(_, policy)| !policy.is_empty()).map(|(provider, policy)| (provider.to_string(), in_order(policy))).collect(),
                credentials: self.shared(CredentialOwner::IntegrationPoint(point.id)).await?,
            };
            points.insert(point.name.to_string(), exported);
        }
        Ok(points)
    }

    async fn webhooks(&mut self) -> Result<Named<Webhook>, Problem> {
        let mut webhooks = Named::new();
        for webhook in all!(self.tx, webhooks) {
            let signs = self.tx.credential(webhook.credential_id).await?.ok_or_else(|| Problem::internal("a webhook's credential is missing"))?;
            let exported = Webhook {
                fullname: webhook.fullname.to_string(),
                environment: webhook.environment.as_str(),
                filters: webhook.filters.iter().map(|filter| filter.as_str()).collect(),
                url: webhook.url,
                credential: signs.name.to_string(),
                credentials: self.shared(CredentialOwner::OrganizationWebhook(webhook.id)).await?,
            };
            webhooks.insert(webhook.name.to_string(), exported);
        }
        Ok(webhooks)
    }

    async fn apps(&mut self) -> Result<Named<App>, Problem> {
        let mut apps = Named::new();
        for app in all!(self.tx, provider_apps) {
            let client_secret = match app.client_secret {
                None => None,
                Some(shared) => Some(match &self.recipient {
                    None => SecretMark::Omitted,
                    Some(recipient) => {
                        let envelope = self.tx.secrets().sealed_shared(shared).await?.ok_or_else(|| Problem::internal("a provider app's secret is missing"))?;
                        let plain = self.engine.open_sealed_in(&mut self.tx, &shared_place(app.organization_id, None, shared), &envelope).await?;
                        sealed_field(recipient, &plain, "client_secret")?
                    }
                }),
            };
            let exported = App {
                fullname: app.fullname.to_string(),
                provider: app.provider.to_string(),
                issuer: app.issuer,
                client_id: app.client_id,
                client_secret,
                redirect_uris: app.redirect_uris,
                scopes: app.scopes,
            };
            apps.insert(app.name.to_string(), exported);
        }
        Ok(apps)
    }

    async fn accounts(&mut self) -> Result<Named<Account>, Problem> {
        let mut accounts = Named::new();
        for account in all!(self.tx, accounts) {
            let credentials = self.shared(CredentialOwner::Account(account.id)).await?;
            let mut integrations = Named::new();
            for integration in reach::all_integrations(&mut self.tx, account.id).await? {
                integrations.insert(integration.name.to_string(), self.integration(integration).await?);
            }
            let exported = Account {
                fullname: account.fullname.to_string(),
                environment: account.environment.as_str(),
                labels: account.labels.iter().map(|label| label.as_str().to_owned()).collect(),
                external_id: account.external_id,
                credentials,
                integrations,
            };
            accounts.insert(account.name.to_string(), exported);
        }
        Ok(accounts)
    }

    async fn integration(&mut self, integration: patchbay_model::integration::Integration) -> Result<Integration, Problem> {
        let point = match integration.integration_point_id {
            Some(id) => self.tx.point(id).await?.map(|point| point.name.to_string()),
            None => None,
        };
        let version = self.tx.definition(integration.definition).await?.map(|definition| definition.version).unwrap_or_default();
        let settings = integration
            .config
            .as_object()
            .map(|config| config.iter().filter(|(key, _)| *key != "type" && *key != "credential").map(|(key, value)| (key.clone(), canonical(value))).collect());
        let credential = match integration.config.get("credential") {
            Some(reference) => Some(self.credential(reference).await?),
            None => None,
        };
        Ok(Integration {
            fullname: integration.fullname.to_string(),
            provider: integration.provider.to_string(),
            provider_version: version,
            integration_point: point,
            config: settings.unwrap_or_default(),
            credential,
            paused: integration.status == IntegrationStatus::Paused,
        })
    }

    async fn credential(&mut self, reference: &Value) -> Result<CredentialUse, Problem> {
        let word = reference.get("type").and_then(Value::as_str).unwrap_or_default();
        let word = word.strip_suffix("_id").unwrap_or(word).to_owned();
        let id = reference.get("value").and_then(Value::as_str).and_then(|id| id.parse::<CredentialId>().ok());
        let found = match id {
            Some(id) => self.tx.credential(id).await?,
            None => None,
        };
        let Some(credential) = found else { return Ok(CredentialUse::Missing { missing: true }) };
        Ok(match credential.owner {
            CredentialOwner::Account(_) => CredentialUse::Account { account_credential: credential.name.to_string() },
            CredentialOwner::IntegrationPoint(_) => CredentialUse::Point { integration_point_credential: credential.name.to_string() },
            CredentialOwner::Integration(..) => CredentialUse::Own(self.fields(word, &credential).await?),
            // Signs what a webhook is sent, and serves no integration.
            CredentialOwner::OrganizationWebhook(_) => CredentialUse::Missing { missing: true },
        })
    }

    async fn shared(&mut self, owner: CredentialOwner) -> Result<Named<SharedCredential>, Problem> {
        let credentials = all!(self.tx, credentials, Some(owner));
        let mut shared = Named::new();
        for credential in credentials {
            let fields = self.fields(credential.kind.as_str().to_owned(), &credential).await?;
            shared.insert(credential.name.to_string(), SharedCredential { fullname: credential.fullname.to_string(), fields });
        }
        Ok(shared)
    }

    async fn fields(&mut self, word: String, credential: &Credential) -> Result<Fields, Problem> {
        // What a person authorized is a token, and tokens are never in a configuration: it is authorized anew.
        if credential.kind == CredentialKind::OAuthUser {
            return Ok(Fields { word, public: BTreeMap::new(), secrets: BTreeMap::new() });
        }
        let public = credential.public_config.iter().map(|(key, value)| (key.clone(), canonical(value))).collect();
        let secrets = match &self.recipient {
            // Nothing is opened to be left out.
            None => secret_fields(credential.kind)
                .iter()
                .filter(|field| required_fields(credential.kind).contains(field))
                .map(|field| ((*field).to_owned(), SecretMark::Omitted))
                .collect(),
            Some(recipient) => {
                let plain = open(self.engine, self.tx.secrets(), credential).await?.unwrap_or_else(|| Secret::new("{}"));
                let names: Vec<String> = serde_json::from_str::<serde_json::Map<String, Value>>(plain.expose()).map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
                let mut secrets = BTreeMap::new();
                for name in names {
                    let mark = sealed_field(recipient, &plain, &name)?;
                    secrets.insert(name, mark);
                }
                secrets
            }
        };
        Ok(Fields { word, public, secrets })
    }
}

/// A policy whose values are written one way, whichever database they come from.
fn in_order(mut policy: ProviderPolicy) -> ProviderPolicy {
    for value in policy.locked.values_mut().chain(policy.defaults.values_mut()) {
        *value = canonical(value);
    }
    policy
}

/// Seals one field of a sealed value's JSON to the recipient: a text as it is, anything else as JSON.
fn sealed_field(recipient: &AgeRecipient, plain: &Secret, field: &str) -> Result<SecretMark, Problem> {
    let fields: Value = serde_json::from_str(plain.expose()).map_err(|_| Problem::internal("a sealed credential has another form than Patchbay writes"))?;
    let secret = match fields.get(field) {
        Some(Value::String(text)) => Secret::new(text.clone()),
        Some(other) => Secret::new(other.to_string()),
        None => Secret::new(""),
    };
    Ok(SecretMark::Sealed(seal_to_age(recipient, &secret)?))
}
