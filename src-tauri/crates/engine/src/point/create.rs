//! Makes an integration point.

use patchbay_model::connector::Connector;
use patchbay_model::name::name_and_fullname;
use patchbay_model::point::{AllowedProviders, IntegrationPoint, PointEnvironments};
use patchbay_model::{IntegrationPointId, Operation, Problem};
use patchbay_providers::Catalog;

use super::{CreatePoint, policy};
use crate::audit::record::{Done, record};
use crate::{Engine, ManagementGrant, reach};

/// Makes an integration point.
///
/// # Errors
/// `permission_denied`, `invalid_field`, `invalid_config`, `name_taken`; problems of the store.
pub async fn create(engine: &Engine, grant: &ManagementGrant, new: CreatePoint) -> Result<IntegrationPoint, Problem> {
    grant.require(Operation::IntegrationPointsCreate, None)?;
    let now = engine.now();
    let id = IntegrationPointId::from_uuid(engine.context().new_uuid());
    let (name, fullname) = name_and_fullname(new.name.as_deref(), new.fullname.as_deref(), id.uuid())?;
    let connector = connector_of(&new.connector)?;
    let mut tx = reach::writing_organization(engine, grant).await?;
    let point = IntegrationPoint {
        id,
        organization_id: grant.organization(),
        name,
        fullname,
        description: description(new.description)?,
        connector,
        environments: allowed(&*engine.catalog_of(&mut tx).await?, connector, new.environments)?,
        policy: policy::checked(engine, &mut tx, connector, new.policy).await?,
        created_at: now,
        updated_at: now,
    };
    tx.insert_point(&point).await?;
    record(engine, &mut tx, grant, Done::created(Operation::IntegrationPointsCreate).after(&point).giving(id, point.name.as_str())).await?;
    tx.commit().await?;
    Ok(point)
}

/// Reads the word of a connector.
pub(super) fn connector_of(word: &str) -> Result<Connector, Problem> {
    word.parse().map_err(|()| {
        let words = Connector::ALL.iter().map(|connector| connector.as_str()).collect::<Vec<_>>().join(", ");
        Problem::field("/connector", format!("/connector must be one of {words}."))
    })
}

/// Reads a description.
pub(crate) fn description(text: Option<String>) -> Result<Option<String>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > 2000 || text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Problem::field("/description", "The description must be at most 2000 characters. Shorten it."));
    }
    Ok(Some(text))
}

/// Checks that every allowed provider exists and belongs to the connector.
pub(super) fn allowed(catalog: &Catalog, connector: Connector, environments: PointEnvironments) -> Result<PointEnvironments, Problem> {
    for (word, allowed) in [("test", &environments.test), ("prod", &environments.prod)] {
        let Some(AllowedProviders::These(providers)) = allowed else { continue };
        for (index, id) in providers.iter().enumerate() {
            let at = format!("/environments/{word}/{index}");
            match catalog.get(id) {
                Some(provider) if provider.connector() == connector => {}
                Some(provider) => {
                    return Err(Problem::field(
                        &at,
                        format!("{at}: `{id}` is a provider of the connector `{}`, and this point governs `{}`. Remove it.", provider.connector().as_str(), connector.as_str()),
                    ));
                }
                None => return Err(Problem::field(&at, format!("{at}: there is no provider `{id}`. Take one from GET /v1/capabilities/providers."))),
            }
        }
    }
    Ok(environments)
}
