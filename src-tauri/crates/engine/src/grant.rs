//! Grants: proof that a caller may act. Their fields are private and only the verifier, the web session and the holder of
//! the store's key make them, so a function that takes one cannot be reached without.

use patchbay_model::account::Account;
use patchbay_model::connector::Connector;
use patchbay_model::permission::{AccountSelector, PermissionSet, ResourceScope};
use patchbay_model::{AccountId, AuditId, Code, IntegrationId, MemberId, Operation, OrganizationId, Origin, Problem, Scope, TokenId};

use crate::permission;

/// Where a call comes from, for the audit log.
#[derive(Clone, PartialEq, Debug)]
pub struct CallerInfo {
    /// Which surface.
    pub origin: Origin,
    /// Address of the caller; empty inside the application.
    pub remote_addr: String,
    /// What the caller calls itself.
    pub user_agent: String,
    /// HTTP method, or `RPC`.
    pub method: String,
    /// Path without query, or the command.
    pub path: String,
    /// The request's body as it came; it is redacted and bounded before it is kept.
    pub body: Option<serde_json::Value>,
}

impl CallerInfo {
    /// A caller inside this program.
    pub fn local(origin: Origin) -> Self {
        Self { origin, remote_addr: String::new(), user_agent: String::new(), method: "RPC".to_owned(), path: String::new(), body: None }
    }
}

/// What a secret gave.
#[derive(Clone, Debug)]
pub enum Grant {
    /// The Management API.
    Management(ManagementGrant),
    /// The Connector API of one integration.
    Connector(ConnectorGrant),
    /// Refresh of one container.
    Refresh(RefreshGrant),
}

impl Grant {
    /// The management grant.
    ///
    /// # Errors
    /// `wrong_token_kind`, naming the kind needed.
    pub fn management(self) -> Result<ManagementGrant, Problem> {
        match self {
            Self::Management(grant) => Ok(grant),
            Self::Connector(_) => Err(wrong_kind("an integration access token", "an organization access token", "The Management API")),
            Self::Refresh(_) => Err(wrong_kind("a refresh token", "an organization access token", "The Management API")),
        }
    }

    /// The connector grant.
    ///
    /// # Errors
    /// `wrong_token_kind`, naming the kind needed.
    pub fn connector(self) -> Result<ConnectorGrant, Problem> {
        match self {
            Self::Connector(grant) => Ok(grant),
            Self::Management(_) => Err(wrong_kind("an organization access token", "an integration access token", "The Connector API")),
            Self::Refresh(_) => Err(wrong_kind("a refresh token", "an integration access token", "The Connector API")),
        }
    }

    /// Whose organization.
    pub fn organization(&self) -> OrganizationId {
        match self {
            Self::Management(grant) => grant.organization,
            Self::Connector(grant) => grant.organization,
            Self::Refresh(grant) => grant.organization,
        }
    }

    /// Who stands behind it.
    pub fn member(&self) -> MemberId {
        match self {
            Self::Management(grant) => grant.member,
            Self::Connector(grant) => grant.member,
            Self::Refresh(grant) => grant.member,
        }
    }
}

fn wrong_kind(sent: &str, needed: &str, api: &str) -> Problem {
    Problem::new(Code::WrongTokenKind, format!("{api} does not take {sent}. Send {needed}."))
}

/// A permission set over resources; a grant has one per role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permit {
    /// Which operations.
    pub permission_set: PermissionSet,
    /// On which objects.
    pub resources: ResourceScope,
}

impl Permit {
    /// A permit in an organization; none when its choice of organizations leaves this one out, since it covers nothing here.
    pub(crate) fn new(organization: OrganizationId, permission_set: PermissionSet, resources: ResourceScope) -> Option<Self> {
        resources.covers_organization(organization).then_some(Self { permission_set, resources })
    }

    /// Whether anything of the organization is left out.
    pub(crate) fn narrowed(&self) -> bool {
        self.resources.is_narrowed()
    }

    pub(crate) fn allows(&self, operation: Operation) -> bool {
        permission::allows(self.permission_set, operation)
    }

    pub(crate) fn covers(&self, account: &Account) -> bool {
        self.resources.covers_account(account)
    }

    /// Whether the operation on an account as a whole is covered. One that touches what all categories share is not for a
    /// caller of some, unless the table says so.
    fn covers_whole(&self, operation: Operation, account: &Account) -> bool {
        self.covers(account) && (!self.resources.narrows_categories() || permission::any_category(operation))
    }
}

/// Proof that the caller may use the Management API.
#[derive(Clone, Debug)]
pub struct ManagementGrant {
    pub(crate) organization: OrganizationId,
    pub(crate) member: MemberId,
    /// The container of the token; none for the holder of the key and for a member's web session.
    pub(crate) container: Option<TokenId>,
    pub(crate) permits: Vec<Permit>,
    /// The member signed in with a password that must be changed first.
    pub(crate) password_expired: bool,
    pub(crate) caller: CallerInfo,
    /// The change that this call takes back, if it is an undo.
    pub(crate) undoing: Option<Undoing>,
}

/// The change that an undo takes back, checked in the transaction that does so.
#[derive(Clone, Debug)]
pub(crate) struct Undoing {
    /// Its row in the audit log.
    pub(crate) row: AuditId,
    /// The object as that change found it; none where it made it.
    pub(crate) before: Option<serde_json::Value>,
    /// The object as that change left it; none where it deleted it.
    pub(crate) after: Option<serde_json::Value>,
}

impl ManagementGrant {
    /// Whose organization.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Who acts.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// The container whose access secret was sent, if it was one.
    pub fn container(&self) -> Option<TokenId> {
        self.container
    }

    /// Where the call comes from.
    pub fn caller(&self) -> &CallerInfo {
        &self.caller
    }

    /// The same grant for another request.
    #[must_use]
    pub fn with_caller(&self, caller: CallerInfo) -> Self {
        Self { caller, ..self.clone() }
    }

    /// The same grant, for taking a change back.
    pub(crate) fn undoing(&self, undoing: Undoing) -> Self {
        Self { undoing: Some(undoing), ..self.clone() }
    }

    /// The widest permission set that the caller has, for showing.
    pub fn permission_set(&self) -> Option<PermissionSet> {
        PermissionSet::ALL.into_iter().find(|set| self.permits.iter().any(|permit| permit.permission_set == *set))
    }

    /// Everything that the caller may do.
    pub fn permits(&self) -> &[Permit] {
        &self.permits
    }

    /// The scope of a transaction for this caller.
    pub fn scope(&self) -> Scope {
        match self.single_account() {
            Some(account) => Scope::Account(self.organization, account),
            None => Scope::Organization(self.organization),
        }
    }

    /// The one account that the caller can reach, where the grant is that narrow.
    pub fn single_account(&self) -> Option<AccountId> {
        match self.permits.as_slice() {
            [permit] => permit.resources.accounts.as_ref().and_then(AccountSelector::single_account),
            _ => None,
        }
    }

    /// Demands the operation on an account's object, or on the organization's where `account` is none.
    ///
    /// # Errors
    /// `not_found` when the account is out of reach, so that its existence is not told; else `permission_denied`.
    pub fn require(&self, operation: Operation, account: Option<&Account>) -> Result<(), Problem> {
        if account.is_some_and(|account| !self.reaches(account)) {
            return Err(Problem::not_found("account", account.map_or_else(String::new, |account| account.id.to_string())));
        }
        self.require_password(operation)?;
        let allowed = self.permits.iter().any(|permit| {
            permit.allows(operation)
                && match account {
                    Some(account) => permit.covers_whole(operation, account),
                    None => !permit.narrowed() || !permission::organization_wide(operation),
                }
        });
        if allowed { Ok(()) } else { Err(self.denied(operation)) }
    }

    /// Demands the operation on an integration, or on what belongs to one: a single permit must have the operation and cover
    /// both the account and the category.
    ///
    /// # Errors
    /// `not_found` when it is out of reach for every operation; else `permission_denied`.
    pub fn require_in(&self, operation: Operation, account: &Account, category: Connector) -> Result<(), Problem> {
        if !self.reaches_category(account, category) {
            return Err(Problem::not_found("integration", account.id));
        }
        self.require_new_in(operation, account, category)
    }

    /// Demands the operation for an integration that is about to be made: one that the caller would not reach is refused by
    /// name, since it is no secret from its maker.
    ///
    /// # Errors
    /// `permission_denied`.
    pub(crate) fn require_new_in(&self, operation: Operation, account: &Account, category: Connector) -> Result<(), Problem> {
        self.require_password(operation)?;
        let allowed = self.permits.iter().any(|permit| permit.allows(operation) && permit.covers(account) && permit.resources.covers_category(category));
        if allowed { Ok(()) } else { Err(self.denied(operation)) }
    }

    /// Demands the operation for an account that is about to be made or changed: one that the caller would not reach is
    /// refused by name, since it is no secret from its maker.
    ///
    /// # Errors
    /// `permission_denied`.
    pub(crate) fn require_new(&self, operation: Operation, account: &Account) -> Result<(), Problem> {
        self.require_password(operation)?;
        let allowed = self.permits.iter().any(|permit| permit.allows(operation) && permit.covers_whole(operation, account));
        if allowed { Ok(()) } else { Err(self.denied(operation)) }
    }

    /// Demands the operation on what belongs to the organization as a whole, of a caller that is not narrowed to some accounts.
    ///
    /// # Errors
    /// `permission_denied`.
    pub(crate) fn require_whole(&self, operation: Operation) -> Result<(), Problem> {
        self.require_password(operation)?;
        let allowed = self.permits.iter().any(|permit| permit.allows(operation) && !permit.narrowed());
        if allowed { Ok(()) } else { Err(self.denied(operation)) }
    }

    /// Whether the member has to change its password before anything else.
    pub fn password_expired(&self) -> bool {
        self.password_expired
    }

    /// With a password that must be changed, a member can see where it is, change the password, and sign off.
    fn require_password(&self, operation: Operation) -> Result<(), Problem> {
        let always = matches!(operation, Operation::AuthChangePassword | Operation::AuthLogoff | Operation::OrganizationGet);
        if self.password_expired && !always {
            return Err(Problem::new(Code::PermissionDenied, "The password has expired. Change it first with POST /v1/auth/change_password; nothing else is possible until then."));
        }
        Ok(())
    }

    pub(crate) fn denied(&self, operation: Operation) -> Problem {
        let set = self.permission_set().map_or("none", PermissionSet::as_str);
        Problem::new(Code::PermissionDenied, format!("The caller's permissions ({set}) do not cover `{}` here. Use a token or member with a wider role.", operation.id()))
    }

    /// Whether an account is within reach for any operation.
    pub fn reaches(&self, account: &Account) -> bool {
        account.organization_id == self.organization && self.permits.iter().any(|permit| permit.covers(account))
    }

    /// Whether integrations of a category in an account are within reach for any operation.
    pub fn reaches_category(&self, account: &Account, category: Connector) -> bool {
        account.organization_id == self.organization && self.permits.iter().any(|permit| permit.covers(account) && permit.resources.covers_category(category))
    }

    /// Whether an operation covers what the organization has for a category, such as its points.
    pub(crate) fn sees_category(&self, operation: Operation, category: Connector) -> bool {
        self.permits.iter().any(|permit| permit.allows(operation) && permit.resources.covers_category(category))
    }

    /// The scopes over which the caller has an operation, to narrow a list to their union; none when it has it over everything.
    pub fn scopes(&self, operation: Operation) -> Option<Vec<ResourceScope>> {
        let permits = || self.permits.iter().filter(|permit| permit.allows(operation));
        if permits().any(|permit| !permit.narrowed()) {
            return None;
        }
        let mut scopes: Vec<ResourceScope> = Vec::new();
        for permit in permits() {
            if !scopes.contains(&permit.resources) {
                scopes.push(permit.resources.clone());
            }
        }
        Some(scopes)
    }
}

/// Proof that the caller may use the Connector API of one integration.
#[derive(Clone, Debug)]
pub struct ConnectorGrant {
    pub(crate) organization: OrganizationId,
    pub(crate) account: AccountId,
    pub(crate) integration: IntegrationId,
    pub(crate) member: MemberId,
    pub(crate) caller: CallerInfo,
}

impl ConnectorGrant {
    /// Whose organization.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Of which account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Of which integration.
    pub fn integration(&self) -> IntegrationId {
        self.integration
    }

    /// Who minted the token.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Where the call comes from.
    pub fn caller(&self) -> &CallerInfo {
        &self.caller
    }

    /// The scope of a transaction for this caller.
    pub fn scope(&self) -> Scope {
        Scope::Account(self.organization, self.account)
    }
}

/// Proof that the caller may refresh one container, and nothing else (product.md section 3).
#[derive(Clone, Debug)]
pub struct RefreshGrant {
    pub(crate) organization: OrganizationId,
    pub(crate) container: TokenId,
    pub(crate) member: MemberId,
    pub(crate) caller: CallerInfo,
}

impl RefreshGrant {
    /// Whose organization.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// The one container.
    pub fn container(&self) -> TokenId {
        self.container
    }

    /// Where the call comes from.
    pub fn caller(&self) -> &CallerInfo {
        &self.caller
    }
}
