//! Roles: the organization's, closed to an account's scope. The built-in ones are rows too, so that lists hold them; they are
//! made with their organization and never written again.

use std::collections::HashMap;

use patchbay_model::change::ChangeKind;
use patchbay_model::list::{ListQuery, Listed};
use patchbay_model::organization::Organization;
use patchbay_model::permission::{BUILTIN_ROLES, ResourceScope, Role, RoleName, builtin_role_id};
use patchbay_model::problem::Resource;
use patchbay_model::{Fullname, MemberId, Name, OrganizationId, RoleId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::db;
use crate::dialect::At;
use crate::error::{Result, StoreError};
use crate::list::{self, Category, Field, Kind, Noun};
use crate::row;
use crate::transaction::{ReadTx, WriteTx};

macro_rules! columns {
    () => {
        "id, organization_id, name, fullname, description, resources, permission_set, created_at, updated_at"
    };
}

pub(crate) const NOUN: Noun = Noun {
    table: "roles",
    columns: columns!(),
    fields: &[
        Field::new("id", "id", Kind::Id),
        Field::new("name", "name", Kind::Name),
        Field::new("fullname", "fullname", Kind::Text),
        Field::nullable("description", "description", Kind::Text),
        Field::new("permission_set", "permission_set", Kind::Text),
        Field::new("created_at", "created_at", Kind::Time),
        Field::new("updated_at", "updated_at", Kind::Time),
    ],
    default_order: "name",
    account: None,
    category: Category::None,
    tombstones: true,
};

#[derive(FromRow)]
struct RoleRow {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    fullname: String,
    description: Option<String>,
    resources: Json<ResourceScope>,
    permission_set: String,
    created_at: At,
    updated_at: At,
}

impl TryFrom<RoleRow> for Role {
    type Error = StoreError;

    fn try_from(row: RoleRow) -> Result<Self> {
        Ok(Self {
            id: RoleId::from_uuid(row.id),
            organization_id: OrganizationId::from_uuid(row.organization_id),
            name: RoleName::from_name(&Name::from_stored(row.name)),
            fullname: Fullname::from_stored(row.fullname),
            description: row.description,
            resources: row.resources.0,
            permission_set: row::word("roles", "permission_set", &row.permission_set)?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

/// Most members that are named; the count is of all.
const NAMED: i64 = 100;

/// Members that have a role: how many, and the first hundred by name.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RoleMembers {
    /// All of them.
    pub count: u64,
    /// The first.
    pub members: Vec<MemberId>,
}

impl RoleMembers {
    /// The members as resources of a problem.
    pub fn resources(&self) -> Vec<Resource> {
        self.members.iter().map(|id| Resource { kind: "member".to_owned(), id: id.to_string(), rel: "cause".to_owned() }).collect()
    }
}

impl ReadTx {
    /// The role of this name.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] in an account's scope, and those of the database.
    pub async fn role(&mut self, name: &RoleName) -> Result<Option<Role>> {
        let organization = self.whole_organization("a role")?;
        let row: Option<RoleRow> = db::query_as(concat!("SELECT ", columns!(), " FROM roles WHERE organization_id = $1 AND name = $2 AND deleted_at IS NULL"))
            .bind(organization)
            .bind(name.as_str().to_lowercase())
            .fetch_optional(&mut self.tx)
            .await?;
        row.map(Role::try_from).transpose()
    }

    /// The role with this id or name; an id wins.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] in an account's scope, and those of the database.
    pub async fn find_role(&mut self, reference: &str) -> Result<Option<Role>> {
        let organization = self.whole_organization("a role")?;
        let row: Option<RoleRow> = db::query_as(concat!(
            "SELECT ",
            columns!(),
            " FROM roles WHERE organization_id = $1 AND (id = $2 OR name = $3) AND deleted_at IS NULL ORDER BY CASE WHEN id = $2 THEN 0 ELSE 1 END LIMIT 1"
        ))
        .bind(organization)
        .bind(reference.parse::<Uuid>().unwrap_or_default())
        .bind(reference.to_lowercase())
        .fetch_optional(&mut self.tx)
        .await?;
        row.map(Role::try_from).transpose()
    }

    /// One page of roles, the built-in ones among them.
    ///
    /// # Errors
    /// [`StoreError::Query`] for a query that cannot be, and those of the database.
    pub async fn roles(&mut self, query: &ListQuery) -> Result<Listed<Role>> {
        self.whole_organization("the roles")?;
        list::page::<RoleRow, _>(self, &NOUN, query, false, &[]).await
    }

    /// The members that have a role, whatever their state: one that is switched off can be switched on again.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] in an account's scope, and those of the database.
    pub async fn role_members(&mut self, name: &RoleName) -> Result<RoleMembers> {
        let organization = self.whole_organization("the members")?;
        let sql = format!(
            "SELECT id, count(*) OVER () FROM members WHERE organization_id = $1 AND deleted_at IS NULL AND EXISTS (SELECT 1 FROM {} WHERE each.value = $2) ORDER BY name, id LIMIT $3",
            self.dialect().json_elements("members.role_binding")
        );
        let rows: Vec<(Uuid, i64)> = db::query_as(sqlx::AssertSqlSafe(sql)).bind(organization).bind(name.as_str()).bind(NAMED).fetch_all(&mut self.tx).await?;
        Ok(RoleMembers { count: rows.first().map_or(0, |(_, number)| row::count(*number)), members: rows.into_iter().map(|(id, _)| MemberId::from_uuid(id)).collect() })
    }

    /// How many members have each role, by its name; roles that nobody has are missing.
    ///
    /// # Errors
    /// [`StoreError::WrongScope`] in an account's scope, and those of the database.
    pub async fn count_role_members(&mut self) -> Result<HashMap<String, u64>> {
        let organization = self.whole_organization("the members")?;
        let sql = format!(
            "SELECT each.value, count(*) FROM members, {} WHERE members.organization_id = $1 AND members.deleted_at IS NULL GROUP BY each.value",
            self.dialect().json_elements("members.role_binding")
        );
        let rows: Vec<(String, i64)> = db::query_as(sqlx::AssertSqlSafe(sql)).bind(organization).fetch_all(&mut self.tx).await?;
        Ok(rows.into_iter().map(|(name, number)| (name, row::count(number))).collect())
    }
}

impl WriteTx {
    /// Adds the roles that every organization has.
    pub(crate) async fn insert_builtin_roles(&mut self, organization: &Organization) -> Result<()> {
        for (place, (name, fullname, permission_set, description)) in (0_u8..).zip(BUILTIN_ROLES) {
            let role = Role {
                id: builtin_role_id(organization.id, place),
                organization_id: organization.id,
                name: RoleName::from_name(&Name::from_stored(name.to_owned())),
                fullname: Fullname::from_stored(fullname.to_owned()),
                description: Some(description.to_owned()),
                resources: ResourceScope::default(),
                permission_set,
                created_at: organization.created_at,
                updated_at: organization.created_at,
            };
            self.insert_role(&role).await?;
        }
        Ok(())
    }

    /// Adds a role.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], and those of the database.
    pub async fn insert_role(&mut self, role: &Role) -> Result<()> {
        self.whole_organization("a new role")?;
        self.check_tenant(role.organization_id.uuid(), None)?;
        db::query(
            "INSERT INTO roles (id, organization_id, name, fullname, description, resources, permission_set, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(role.id.uuid())
        .bind(role.organization_id.uuid())
        .bind(role.name.as_str())
        .bind(role.fullname.as_str())
        .bind(&role.description)
        .bind(Json(&role.resources))
        .bind(role.permission_set.as_str())
        .bind(At(role.created_at))
        .bind(At(role.updated_at))
        .execute(&mut self.tx)
        .await
        .map_err(|error| StoreError::from(error).naming(role.name.as_str(), None))?;
        self.changed(ChangeKind::Role, role.id, None)
    }

    /// Writes a role anew. Members refer to it by name: whoever changes that changes their bindings with
    /// [`Self::rename_role_binding`].
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::NotFound`], and those of the database.
    pub async fn update_role(&mut self, role: &Role) -> Result<()> {
        self.whole_organization("a role")?;
        self.check_tenant(role.organization_id.uuid(), None)?;
        let done = db::query(
            "UPDATE roles SET name = $3, fullname = $4, description = $5, resources = $6, permission_set = $7, updated_at = $8 WHERE id = $1 AND organization_id = $2 AND deleted_at IS NULL",
        )
        .bind(role.id.uuid())
        .bind(role.organization_id.uuid())
        .bind(role.name.as_str())
        .bind(role.fullname.as_str())
        .bind(&role.description)
        .bind(Json(&role.resources))
        .bind(role.permission_set.as_str())
        .bind(At(role.updated_at))
        .execute(&mut self.tx)
        .await
        .map_err(|error| StoreError::from(error).naming(role.name.as_str(), None))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found(RoleId::NOUN, role.id));
        }
        self.changed(ChangeKind::Role, role.id, None)
    }

    /// Gives the new name of a role to every member that has it, deleted ones too, since they may come back.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn rename_role_binding(&mut self, from: &RoleName, to: &RoleName) -> Result<()> {
        let organization = self.whole_organization("the members")?;
        let elements = self.dialect().json_elements("members.role_binding");
        let sql = format!(
            "UPDATE members SET role_binding = {1} WHERE organization_id = $1 AND EXISTS (SELECT 1 FROM {0} WHERE each.value = $2) RETURNING id",
            elements,
            self.dialect().json_array_of("CASE WHEN each.value = $2 THEN $3 ELSE each.value END", &elements)
        );
        let rows: Vec<(Uuid,)> = db::query_as(sqlx::AssertSqlSafe(sql)).bind(organization).bind(from.as_str()).bind(to.as_str()).fetch_all(&mut self.tx).await?;
        for (id,) in rows {
            self.changed(ChangeKind::Member, id, None)?;
        }
        Ok(())
    }
}
