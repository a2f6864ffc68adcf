//! `resources` of tokens and roles: which objects a permission set applies to, read and shown.

use std::str::FromStr;

use patchbay_model::connector::Connector;
use patchbay_model::permission::{AccountSelector, IdOrAll, IntegrationSelector, OrganizationSelector, ResourceScope};
use patchbay_model::{Environment, Label, OrganizationId, Problem};

use crate::wire::token::{AccountResources, IntegrationResources, OrganizationResources, Resources};

/// The view of a scope.
pub(crate) fn shown(scope: &ResourceScope) -> Resources {
    let accounts = scope.accounts.as_ref().map(|accounts| AccountResources {
        ids: accounts.ids.as_deref().map(words),
        labels: accounts.labels.as_ref().map(|labels| labels.iter().map(|label| label.as_str().to_owned()).collect()),
        environments: accounts.environments.as_ref().map(|environments| environments.iter().map(|environment| environment.as_str().to_owned()).collect()),
    });
    let organizations = scope.organizations.as_ref().map(|organizations| OrganizationResources { ids: Some(words(&organizations.ids)), labels: None });
    let integrations = scope.integrations.as_ref().map(|integrations| IntegrationResources {
        categories: Some(
            integrations
                .categories
                .iter()
                .map(|category| match category {
                    IdOrAll::All => "*".to_owned(),
                    IdOrAll::Id(category) => category.as_str().to_owned(),
                })
                .collect(),
        ),
    });
    Resources { accounts, organizations, integrations }
}

fn words<T: std::fmt::Display>(ids: &[IdOrAll<T>]) -> Vec<String> {
    ids.iter()
        .map(|id| match id {
            IdOrAll::All => "*".to_owned(),
            IdOrAll::Id(id) => id.to_string(),
        })
        .collect()
}

/// Reads which objects a token or role shall cover; everything where nothing is given.
///
/// # Errors
/// `invalid_field` with a pointer into `/resources`.
pub(crate) fn read(wire: Option<&Resources>, organization: OrganizationId) -> Result<ResourceScope, Problem> {
    let Some(wire) = wire else { return Ok(ResourceScope::default()) };
    Ok(ResourceScope {
        organizations: wire.organizations.as_ref().map(|organizations| read_organizations(organizations, organization)).transpose()?.flatten(),
        accounts: wire.accounts.as_ref().map(read_accounts).transpose()?,
        integrations: wire.integrations.as_ref().map(read_integrations).transpose()?.flatten(),
    })
}

fn read_organizations(wire: &OrganizationResources, own: OrganizationId) -> Result<Option<OrganizationSelector>, Problem> {
    const AT: &str = "/resources/organizations";
    if wire.labels.as_ref().is_some_and(|labels| !labels.is_empty()) {
        return Err(Problem::field(&format!("{AT}/labels"), "Organizations have no labels here. Leave `labels` out."));
    }
    let words = "There are no organizations within this one. Leave `organizations` out, or name this organization's id or `*`.";
    let ids = wire.ids.as_deref().map(|ids| all(ids, &format!("{AT}/ids"), words)).transpose()?;
    match ids.iter().flatten().position(|id| *id != IdOrAll::All && *id != IdOrAll::Id(own)) {
        Some(index) => Err(Problem::field(&format!("{AT}/ids/{index}"), words)),
        None => Ok(ids.map(|ids| OrganizationSelector { ids })),
    }
}

fn read_accounts(wire: &AccountResources) -> Result<AccountSelector, Problem> {
    const AT: &str = "/resources/accounts";
    let label = |(index, text): (usize, &String)| Label::parse(text).map_err(|problem| problem.at_body(&format!("{AT}/labels/{index}")));
    let environment =
        |(index, text): (usize, &String)| text.parse::<Environment>().map_err(|()| Problem::field(&format!("{AT}/environments/{index}"), "An environment must be test or prod."));
    Ok(AccountSelector {
        ids: wire.ids.as_deref().map(|ids| all(ids, &format!("{AT}/ids"), "An account must be given by its id, or `*` for all.")).transpose()?,
        labels: wire.labels.as_ref().map(|labels| labels.iter().enumerate().map(label).collect()).transpose()?,
        environments: wire.environments.as_ref().map(|environments| environments.iter().enumerate().map(environment).collect()).transpose()?,
    })
}

fn read_integrations(wire: &IntegrationResources) -> Result<Option<IntegrationSelector>, Problem> {
    let read = |categories: &[String]| {
        let words = Connector::ALL.iter().map(|connector| connector.as_str()).collect::<Vec<_>>().join(", ");
        all(categories, "/resources/integrations/categories", &format!("A category must be `*` or one of {words}."))
    };
    Ok(wire.categories.as_deref().map(read).transpose()?.map(|categories| IntegrationSelector { categories }))
}

fn all<T: FromStr>(texts: &[String], at: &str, words: &str) -> Result<Vec<IdOrAll<T>>, Problem> {
    let one = |(index, text): (usize, &String)| match text.as_str() {
        "*" => Ok(IdOrAll::All),
        text => text.parse().map(IdOrAll::Id).map_err(|_| Problem::field(&format!("{at}/{index}"), words)),
    };
    texts.iter().enumerate().map(one).collect()
}
