//! Clocks of credentials and provider apps, and the other ends that are known ahead.
//!
//! A clock is written in the transaction that stores what it is of. Rows of credentials from before there were clocks have
//! none; of those the end in their own row counts.

use std::time::Duration;

use patchbay_model::deadline::{Clock, ClockKind, ClockOwner, DueClock, MAIN_TOKEN};
use patchbay_model::{AccountId, CredentialId, DefinitionId, IntegrationId, MemberId, OrganizationId, ProviderAppId, ProviderId, Timestamp, TokenId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::db::{self, QueryBuilder};
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

const TABLE: &str = "clocks";

/// How long before its end a refresh token that nobody uses is told of.
const UNUSED: Duration = Duration::from_secs(30 * 86_400);

/// Which ends are asked for.
#[derive(Clone, Debug)]
pub struct EndsQuery {
    /// Those at or after this time, of what Patchbay itself renews; what a person has to see to is told however late it is.
    pub now: Timestamp,
    /// Those before this time.
    pub until: Timestamp,
    /// Of these clocks; none: of all.
    pub kinds: Option<Vec<ClockKind>>,
    /// Whether what Patchbay renews by itself is wanted.
    pub renewed: bool,
    /// Whether what a person has to see to is wanted.
    pub manual: bool,
    /// Of one customer alone.
    pub account: Option<AccountId>,
    /// Most of them, the earliest first.
    pub limit: u32,
}

/// A clock of a credential, with what it is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialClock {
    /// Which credential.
    pub credential_id: CredentialId,
    /// Its name for people.
    pub fullname: String,
    /// `owner_type` of the credential.
    pub owner_type: String,
    /// The customer, if of one.
    pub account: Option<(AccountId, String)>,
    /// The integration, if of one.
    pub integration: Option<(IntegrationId, String, ProviderId)>,
    /// The clock.
    pub clock: Clock,
}

/// A clock of a provider app.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppClock {
    /// Which app.
    pub app_id: ProviderAppId,
    /// Its name for people.
    pub fullname: String,
    /// At which provider.
    pub provider: ProviderId,
    /// The clock.
    pub clock: Clock,
}

/// A token container that ends for good, since nothing refreshes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenEnd {
    /// Which container.
    pub token_id: TokenId,
    /// Its name for people.
    pub fullname: String,
    /// The customer, if it is an integration's.
    pub account: Option<(AccountId, String)>,
    /// The integration, if it is one's.
    pub integration: Option<(IntegrationId, String)>,
    /// When.
    pub at: Timestamp,
}

/// A member whose time ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberEnd {
    /// Which member.
    pub member_id: MemberId,
    /// Its name for people.
    pub fullname: String,
    /// When.
    pub at: Timestamp,
}

#[derive(FromRow)]
struct CredentialClockRow {
    owner_id: Uuid,
    token: String,
    clock: String,
    ends_at: At,
    renew_at: Option<At>,
    fullname: String,
    owner_type: String,
    account_id: Option<Uuid>,
    account_name: Option<String>,
    integration_id: Option<Uuid>,
    integration_name: Option<String>,
    provider: Option<String>,
}

#[derive(FromRow)]
struct AppClockRow {
    owner_id: Uuid,
    token: String,
    clock: String,
    ends_at: At,
    renew_at: Option<At>,
    fullname: String,
    provider: String,
}

#[derive(FromRow)]
struct TokenEndRow {
    id: Uuid,
    fullname: String,
    account_id: Option<Uuid>,
    account_name: Option<String>,
    integration_id: Option<Uuid>,
    integration_name: Option<String>,
    expires: At,
}

#[derive(FromRow)]
struct DueRow {
    owner_kind: String,
    owner_id: Uuid,
    token: String,
    clock: String,
    organization_id: Uuid,
    account_id: Option<Uuid>,
    ends_at: At,
    renew_at: Option<At>,
}

fn clock(token: String, word: &str, at: At, renew_at: Option<At>) -> Result<Clock> {
    Ok(Clock { token, kind: row::word(TABLE, "clock", word)?, at: at.0, renew_at: renew_at.map(|at| at.0) })
}

fn provider(text: &str) -> Result<ProviderId> {
    ProviderId::parse(text).map_err(|problem| row::bad("integration_instances", "provider", problem.message))
}

impl TryFrom<CredentialClockRow> for CredentialClock {
    type Error = StoreError;

    fn try_from(row: CredentialClockRow) -> Result<Self> {
        Ok(Self {
            credential_id: CredentialId::from_uuid(row.owner_id),
            fullname: row.fullname,
            owner_type: row.owner_type,
            account: row.account_id.map(AccountId::from_uuid).zip(row.account_name),
            integration: match (row.integration_id, row.integration_name, row.provider) {
                (Some(id), Some(name), Some(at)) => Some((IntegrationId::from_uuid(id), name, provider(&at)?)),
                _ => None,
            },
            clock: clock(row.token, &row.clock, row.ends_at, row.renew_at)?,
        })
    }
}

/// What Patchbay renews by itself: nobody has to know when it ends.
const RENEWED: &str = "(ends.clock IN ('access', 'nonexpiring_probe') OR ends.renew_at IS NOT NULL)";

impl EndsQuery {
    fn push(&self, sql: &mut QueryBuilder) {
        sql.push(" AND ends.at < ").push_bind(At(self.until));
        if let Some(kinds) = &self.kinds {
            sql.push(" AND ends.clock IN (");
            let mut words = sql.separated(", ");
            for kind in kinds {
                words.push_bind(kind.as_str());
            }
            // Of no kind there is nothing, and a list must not be empty.
            if kinds.is_empty() {
                words.push_bind("");
            }
            sql.push(")");
        }
        // What is renewed when it is next used has not run out for anybody.
        sql.push(format_args!(" AND (NOT {RENEWED} OR ends.at >= ")).push_bind(At(self.now)).push(")");
        // Any call keeps such a token, so it is told when nobody has called for long.
        sql.push(" AND (ends.clock <> 'refresh_idle' OR ends.renew_at IS NOT NULL OR ends.at < ").push_bind(At(self.now.plus(UNUSED))).push(")");
        if !self.renewed {
            sql.push(format_args!(" AND NOT {RENEWED}"));
        }
        if !self.manual {
            sql.push(format_args!(" AND {RENEWED}"));
        }
    }

    fn push_end(&self, sql: &mut QueryBuilder) {
        sql.push(" ORDER BY ends.at, ends.owner_id, ends.token, ends.clock LIMIT ").push(self.limit);
    }
}

impl ReadTx {
    /// Clocks of credentials within the caller's reach, the earliest first. What belongs to no account is told to those alone
    /// who reach all of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn credential_clocks(&mut self, query: &EndsQuery) -> Result<Vec<CredentialClock>> {
        let (organization, _) = self.bound()?;
        let mut sql = QueryBuilder::new(
            self.dialect(),
            "SELECT ends.owner_id, ends.token, ends.clock, ends.at AS ends_at, ends.renew_at, credential.fullname, credential.owner_type, credential.account_id, account.fullname AS account_name, integration.id AS integration_id, integration.fullname AS integration_name, integration.provider FROM (SELECT owner_id, token, clock, at, renew_at FROM clocks WHERE owner_kind = 'credential' AND organization_id = ",
        );
        sql.push_bind(organization);
        sql.push(format_args!(
            " UNION ALL SELECT id AS owner_id, '{MAIN_TOKEN}' AS token, CASE WHEN kind = 'o_auth_user' THEN 'access' ELSE 'secret' END AS clock, expires AS at, NULL AS renew_at FROM credentials WHERE expires IS NOT NULL AND deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM clocks AS known WHERE known.owner_id = credentials.id) AND organization_id = "
        ));
        sql.push_bind(organization);
        sql.push(") AS ends JOIN credentials AS credential ON credential.id = ends.owner_id LEFT JOIN accounts AS account ON account.id = credential.account_id LEFT JOIN integration_instances AS integration ON integration.id = credential.integration_id WHERE credential.deleted_at IS NULL AND credential.organization_id = ");
        sql.push_bind(organization);
        if let Some(account) = query.account {
            sql.push(" AND credential.account_id = ").push_bind(account.uuid());
        }
        list::push_reach(self, &mut sql, "credential.account_id", Category::OfIntegration("credential.integration_id"))?;
        query.push(&mut sql);
        query.push_end(&mut sql);
        let rows: Vec<CredentialClockRow> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        rows.into_iter().map(CredentialClock::try_from).collect()
    }

    /// Clocks of the organization's provider apps, the earliest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn provider_app_clocks(&mut self, query: &EndsQuery) -> Result<Vec<AppClock>> {
        let organization = self.bound_organization()?;
        let mut sql = QueryBuilder::new(
            self.dialect(),
            "SELECT ends.owner_id, ends.token, ends.clock, ends.at AS ends_at, ends.renew_at, app.fullname, app.provider FROM clocks AS ends JOIN provider_apps AS app ON app.id = ends.owner_id WHERE ends.owner_kind = 'provider_app' AND app.deleted_at IS NULL AND ends.organization_id = ",
        );
        sql.push_bind(organization);
        query.push(&mut sql);
        query.push_end(&mut sql);
        let rows: Vec<AppClockRow> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        rows.into_iter()
            .map(|row| {
                Ok(AppClock {
                    app_id: ProviderAppId::from_uuid(row.owner_id),
                    fullname: row.fullname,
                    provider: provider(&row.provider)?,
                    clock: clock(row.token, &row.clock, row.ends_at, row.renew_at)?,
                })
            })
            .collect()
    }

    /// Tokens of Patchbay's own, within the caller's reach, that nobody can refresh and that live for a day at least, the earliest
    /// end first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn token_ends(&mut self, query: &EndsQuery) -> Result<Vec<TokenEnd>> {
        let (organization, _) = self.bound()?;
        let mut sql = QueryBuilder::new(
            self.dialect(),
            "SELECT token.id, token.fullname, token.account_id, account.fullname AS account_name, token.integration_id, integration.fullname AS integration_name, token.expires FROM token_containers AS token LEFT JOIN accounts AS account ON account.id = token.account_id LEFT JOIN integration_instances AS integration ON integration.id = token.integration_id WHERE token.refresh_ttl_seconds IS NULL AND token.access_ttl_seconds >= 86400 AND token.token_type <> 'logon' AND token.deleted_at IS NULL AND token.organization_id = ",
        );
        sql.push_bind(organization).push(" AND token.expires < ").push_bind(At(query.until));
        if let Some(account) = query.account {
            sql.push(" AND token.account_id = ").push_bind(account.uuid());
        }
        list::push_reach(self, &mut sql, "token.account_id", Category::OfIntegration("token.integration_id"))?;
        sql.push(" ORDER BY token.expires, token.id LIMIT ").push(query.limit);
        let rows: Vec<TokenEndRow> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        Ok(rows
            .into_iter()
            .map(|row| TokenEnd {
                token_id: TokenId::from_uuid(row.id),
                fullname: row.fullname,
                account: row.account_id.map(AccountId::from_uuid).zip(row.account_name),
                integration: row.integration_id.map(IntegrationId::from_uuid).zip(row.integration_name),
                at: row.expires.0,
            })
            .collect())
    }

    /// Members whose time ends, the earliest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn member_ends(&mut self, until: Timestamp, limit: u32) -> Result<Vec<MemberEnd>> {
        let organization = self.whole_organization("members")?;
        let mut sql = QueryBuilder::new(self.dialect(), "SELECT id, fullname, expires FROM members WHERE expires IS NOT NULL AND deleted_at IS NULL AND organization_id = ");
        sql.push_bind(organization).push(" AND expires < ").push_bind(At(until)).push(" ORDER BY expires, id LIMIT ").push(limit);
        let rows: Vec<(Uuid, String, At)> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        Ok(rows.into_iter().map(|(id, fullname, at)| MemberEnd { member_id: MemberId::from_uuid(id), fullname, at: at.0 }).collect())
    }

    /// The definitions that integrations within the caller's reach pin, with their number.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn definitions_in_use(&mut self, account: Option<AccountId>) -> Result<Vec<(DefinitionId, u64)>> {
        let (organization, _) = self.bound()?;
        let mut sql =
            QueryBuilder::new(self.dialect(), "SELECT used.integration_id, count(*) FROM integration_instances AS used WHERE used.deleted_at IS NULL AND used.organization_id = ");
        sql.push_bind(organization);
        if let Some(account) = account {
            sql.push(" AND used.account_id = ").push_bind(account.uuid());
        }
        list::push_reach(self, &mut sql, "used.account_id", Category::Column("used.connector"))?;
        sql.push(" GROUP BY used.integration_id ORDER BY used.integration_id");
        let rows: Vec<(Uuid, i64)> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        Ok(rows.into_iter().map(|(id, number)| (DefinitionId::from_uuid(id), row::count(number))).collect())
    }

    /// The clocks of one owner.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn clocks_of(&mut self, owner: ClockOwner) -> Result<Vec<Clock>> {
        let organization = self.bound_organization()?;
        let rows: Vec<(String, String, At, Option<At>)> =
            db::query_as("SELECT token, clock, at, renew_at FROM clocks WHERE owner_id = $1 AND owner_kind = $2 AND organization_id = $3 ORDER BY at, token, clock")
                .bind(owner.uuid())
                .bind(owner.kind())
                .bind(organization)
                .fetch_all(&mut self.tx)
                .await?;
        rows.into_iter().map(|(token, word, at, renew_at)| clock(token, &word, at, renew_at)).collect()
    }

    /// Clocks of all organizations whose renewal is due at `now`, the earliest first. What is deleted waits for its undo. System
    /// scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn due_clocks(&mut self, now: Timestamp, limit: u32) -> Result<Vec<DueClock>> {
        self.system("the clocks of all organizations")?;
        let mut sql = QueryBuilder::new(
            self.dialect(),
            "SELECT owner_kind, owner_id, token, clock, organization_id, account_id, at AS ends_at, renew_at FROM clocks WHERE renew_at IS NOT NULL AND renew_at <= ",
        );
        sql.push_bind(At(now));
        sql.push(" AND (owner_kind <> 'credential' OR EXISTS (SELECT 1 FROM credentials AS live WHERE live.id = clocks.owner_id AND live.deleted_at IS NULL)) ORDER BY renew_at, owner_id LIMIT ");
        sql.push(limit);
        let rows: Vec<DueRow> = sql.build_query_as().fetch_all(&mut self.tx).await?;
        rows.into_iter()
            .map(|row| {
                Ok(DueClock {
                    organization_id: OrganizationId::from_uuid(row.organization_id),
                    account_id: row.account_id.map(AccountId::from_uuid),
                    owner: match row.owner_kind.as_str() {
                        "credential" => ClockOwner::Credential(CredentialId::from_uuid(row.owner_id)),
                        "provider_app" => ClockOwner::ProviderApp(ProviderAppId::from_uuid(row.owner_id)),
                        other => return Err(row::bad(TABLE, "owner_kind", format!("`{other}` is no owner of clocks"))),
                    },
                    clock: clock(row.token, &row.clock, row.ends_at, row.renew_at)?,
                })
            })
            .collect()
    }
}

impl ReadTx {
    /// When the next clock of any organization is due. System scope.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] within a tenant, and those of the database.
    pub async fn next_clock(&mut self) -> Result<Option<Timestamp>> {
        self.system("the clocks of all organizations")?;
        let row: Option<(At,)> = db::query_as("SELECT renew_at FROM clocks WHERE renew_at IS NOT NULL ORDER BY renew_at LIMIT 1").fetch_optional(&mut self.tx).await?;
        Ok(row.map(|(at,)| at.0))
    }
}

impl WriteTx {
    /// Sets when a clock is due next, if it is still due when it was seen to be. Says whether it was: of several that come for it, one
    /// gets it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn turn_clock(&mut self, due: &DueClock, renew_at: Option<Timestamp>) -> Result<bool> {
        let organization = self.bound_organization()?;
        let done = db::query("UPDATE clocks SET renew_at = $6 WHERE owner_id = $1 AND token = $2 AND clock = $3 AND organization_id = $4 AND renew_at = $5")
            .bind(due.owner.uuid())
            .bind(due.clock.token.as_str())
            .bind(due.clock.kind.as_str())
            .bind(organization)
            .bind(row::at(due.clock.renew_at))
            .bind(row::at(renew_at))
            .execute(&mut self.tx)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Lets a clock be due no more, until it is written anew. One that was written anew since it was seen stays.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rest_clock(&mut self, due: &DueClock) -> Result<()> {
        self.move_clock(due, &Clock { renew_at: None, ..due.clock.clone() }).await
    }

    /// Moves a clock, unless it was written anew since it was seen.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn move_clock(&mut self, due: &DueClock, to: &Clock) -> Result<()> {
        let organization = self.bound_organization()?;
        db::query("UPDATE clocks SET at = $5, renew_at = $6 WHERE owner_id = $1 AND token = $2 AND clock = $3 AND organization_id = $4 AND at = $7")
            .bind(due.owner.uuid())
            .bind(due.clock.token.as_str())
            .bind(due.clock.kind.as_str())
            .bind(organization)
            .bind(At(to.at))
            .bind(row::at(to.renew_at))
            .bind(At(due.clock.at))
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Writes the clocks of an owner, in place of all that it had. None: nothing of it runs out any more, or not that we know.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] for an owner of another account, and those of the database.
    pub async fn set_clocks(&mut self, owner: ClockOwner, clocks: &[Clock]) -> Result<()> {
        let organization = self.bound_organization()?;
        let account = match owner {
            ClockOwner::Credential(id) => self.credential(id).await?.ok_or_else(|| StoreError::not_found(CredentialId::NOUN, id))?.owner.account(),
            ClockOwner::ProviderApp(_) => None,
        };
        db::query("DELETE FROM clocks WHERE owner_id = $1 AND owner_kind = $2 AND organization_id = $3")
            .bind(owner.uuid())
            .bind(owner.kind())
            .bind(organization)
            .execute(&mut self.tx)
            .await?;
        for clock in clocks {
            db::query("INSERT INTO clocks (owner_kind, owner_id, token, clock, organization_id, account_id, at, renew_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
                .bind(owner.kind())
                .bind(owner.uuid())
                .bind(clock.token.as_str())
                .bind(clock.kind.as_str())
                .bind(organization)
                .bind(account.map(AccountId::uuid))
                .bind(At(clock.at))
                .bind(row::at(clock.renew_at))
                .execute(&mut self.tx)
                .await?;
        }
        Ok(())
    }
}
