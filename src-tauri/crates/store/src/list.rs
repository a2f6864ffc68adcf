//! Lists: one way of filtering, ordering and paging for every noun, driven by a table of its fields.
//!
//! Pages are cut by key, not by offset: the next page begins behind the sort keys and the id of the last row, so page N
//! costs what page 1 costs, rows with equal keys are never skipped, and rows that come or go meanwhile shift nothing.

mod cursor;
mod filter;
mod parts;

use patchbay_model::connector::Connector;
use patchbay_model::list::{Direction, FieldKind, ListField, ListQuery, Listed, Order};
use patchbay_model::permission::{AccountSelector, IdOrAll, ResourceScope};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem, Timestamp};
use uuid::Uuid;

use self::cursor::{After, next_key, push_after, start_after};
use self::filter::{Readable, readable};
pub(crate) use self::parts::Part;
use self::parts::{Chosen, ORDERED, push_from};
use crate::db::{QueryBuilder, Record};
use crate::dialect::{At, Dialect};
use crate::error::{Result, StoreError};
use crate::row;
use crate::transaction::ReadTx;

/// How a field compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Text, as it is.
    Text,
    /// A name: ignoring case.
    Name,
    /// A point in time.
    Time,
    /// A UUID.
    Id,
    /// A whole number.
    Number,
    /// A JSON array of texts, of which one must match; cannot be ordered by.
    Texts,
}

/// One field of a noun that lists may filter and order by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// Its column, or an expression over the table's columns.
    pub(crate) sql: &'static str,
    /// How it compares.
    pub(crate) kind: Kind,
    /// Whether it can be missing; a missing one sorts before all others.
    pub(crate) nullable: bool,
    /// What it is a field of, where that is not the row itself; `sql` is over that one's columns then.
    pub(crate) part: Option<&'static Part>,
}

impl Field {
    pub(crate) const fn new(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind, nullable: false, part: None }
    }

    pub(crate) const fn nullable(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind, nullable: true, part: None }
    }

    pub(crate) const fn of(part: &'static Part, name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind, nullable: false, part: Some(part) }
    }

    /// Whether lists can be ordered by it. Of a part only a name that every row has is kept in an order by an index.
    fn ordered(self) -> bool {
        self.kind != Kind::Texts && self.part.is_none_or(|part| self.kind == Kind::Name && !part.optional)
    }

    /// The expression by which rows are ordered: never null, so that keys compare without exceptions.
    fn key(self, dialect: Dialect) -> String {
        if self.part.is_some() {
            return ORDERED.to_owned();
        }
        if !self.nullable {
            return self.sql.to_owned();
        }
        let least = match self.kind {
            Kind::Time => dialect.no_time(),
            Kind::Id => dialect.no_id(),
            Kind::Number => "-1",
            Kind::Text | Kind::Name | Kind::Texts => "''",
        };
        format!("COALESCE({}, {least})", self.sql)
    }
}

/// What is listed.
pub(crate) struct Noun {
    /// Its table.
    pub(crate) table: &'static str,
    /// The columns that its row structure reads.
    pub(crate) columns: &'static str,
    /// The fields that may be named.
    pub(crate) fields: &'static [Field],
    /// The field ordered by when none is named, ascending.
    pub(crate) default_order: &'static str,
    /// The column with the account, where there is one.
    pub(crate) account: Option<&'static str>,
    /// Which category a row belongs to, for callers that are narrowed to some.
    pub(crate) category: Category,
    /// Whether rows are tombstoned.
    pub(crate) tombstones: bool,
}

/// Where the category of a row stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Category {
    /// Rows have none: what holds for all categories is shown to callers of some too.
    None,
    /// In a column of the row.
    Column(&'static str),
    /// With the integration to which this column refers (written with its table's name); rows without one have none.
    OfIntegration(&'static str),
}

/// Every noun that is listed.
const NOUNS: &[&Noun] = &[
    &crate::accounts::NOUN,
    &crate::audit::NOUN,
    &crate::credentials::NOUN,
    &crate::definitions::NOUN,
    &crate::deliveries::NOUN,
    &crate::end_users::NOUN,
    &crate::integrations::NOUN,
    &crate::members::NOUN,
    &crate::points::NOUN,
    &crate::provider_apps::NOUN,
    &crate::public_links::NOUN,
    &crate::receipts::NOUN,
    &crate::revocations::NOUN,
    &crate::roles::NOUN,
    &crate::status::NOUN,
    &crate::status::EVENTS,
    &crate::tokens::NOUN,
    &crate::webhooks::NOUN,
];

/// The fields by which the rows of a table, or of what stands under that name for several, can be filtered and ordered, for descriptions of its list; nothing for a table
/// that is not listed.
pub fn list_fields(table: &str) -> Option<Vec<ListField>> {
    let noun = NOUNS.iter().find(|noun| noun.table == table || noun.table.ends_with(&format!(" AS {table}")))?;
    let kind = |kind| match kind {
        Kind::Text | Kind::Name => FieldKind::Text,
        Kind::Time => FieldKind::Time,
        Kind::Id => FieldKind::Id,
        Kind::Number => FieldKind::Number,
        Kind::Texts => FieldKind::Texts,
    };
    Some(noun.fields.iter().map(|field| ListField { name: field.name, kind: kind(field.kind), ordered: field.ordered() }).collect())
}

/// A value in the type of its column.
#[derive(Clone, PartialEq, Debug)]
enum Value {
    Text(String),
    Time(Timestamp),
    Id(Uuid),
    Number(i64),
    /// A missing value as key: see [`Field::key`].
    LeastTime,
    LeastId,
}

/// A list's conditions beyond those of the query.
pub(crate) type Condition<'a> = &'a (dyn Fn(&mut QueryBuilder) + Send + Sync);

/// Writes the condition by which rows outside of every account are within a scope all the same.
pub(crate) type AlsoWithin = fn(&mut QueryBuilder, &ResourceScope);

/// A list, understood: fields known, values in their types, the scope bound.
struct Prepared<'a> {
    noun: &'a Noun,
    organization: Uuid,
    account: Option<Uuid>,
    narrowed: Option<Vec<ResourceScope>>,
    within_account: bool,
    also_within: Option<AlsoWithin>,
    /// Whether the rows belong to the store and to no tenant.
    of_store: bool,
    conditions: &'a [Condition<'a>],
    filters: Vec<Readable>,
    chosen: Vec<Chosen>,
    orders: Vec<(Field, Direction)>,
    after: Option<After>,
    size: usize,
}

/// Reads one page. `within_account` binds the scope's account and the token's choice of accounts too; it is left out for
/// what an account may see of its organization.
pub(crate) async fn page<R, T>(tx: &mut ReadTx, noun: &Noun, query: &ListQuery, within_account: bool, conditions: &[Condition<'_>]) -> Result<Listed<T>>
where
    R: Record,
    T: TryFrom<R, Error = StoreError> + Send,
{
    page_also(tx, noun, query, within_account, None, conditions).await
}

/// As [`page`], with rows beyond a narrowed caller's accounts that are within its scope for another reason.
///
/// # Errors
/// As [`page`].
pub(crate) async fn page_also<R, T>(
    tx: &mut ReadTx,
    noun: &Noun,
    query: &ListQuery,
    within_account: bool,
    also_within: Option<AlsoWithin>,
    conditions: &[Condition<'_>],
) -> Result<Listed<T>>
where
    R: Record,
    T: TryFrom<R, Error = StoreError> + Send,
{
    let (organization, account) = tx.bound()?;
    let mut list =
        Prepared { narrowed: tx.narrowed.clone(), within_account, also_within, ..Prepared::new(noun, query, organization, account.filter(|_| within_account), conditions)? };
    list.chosen = Chosen::of(tx, &mut list).await?;
    read(tx, query, &list).await
}

/// Reads one page of what belongs to the store and to no tenant, but for what the conditions say.
pub(crate) async fn page_of_store<R, T>(tx: &mut ReadTx, noun: &Noun, query: &ListQuery, conditions: &[Condition<'_>]) -> Result<Listed<T>>
where
    R: Record,
    T: TryFrom<R, Error = StoreError> + Send,
{
    let list = Prepared { of_store: true, ..Prepared::new(noun, query, Uuid::nil(), None, conditions)? };
    read(tx, query, &list).await
}

/// How many rows of those that a list shows hold each value of an id's column.
pub(crate) async fn count_by(tx: &mut ReadTx, noun: &Noun, column: &str, conditions: &[Condition<'_>]) -> Result<Vec<(Uuid, u64)>> {
    let mut sql = QueryBuilder::new(tx.dialect(), "SELECT ");
    sql.push(column).push(", count(*)");
    push_visible(tx, noun, &mut sql, conditions)?;
    sql.push(" GROUP BY ").push(column);
    let rows: Vec<(Uuid, i64)> = sql.build_query_as().fetch_all(&mut tx.tx).await?;
    Ok(rows.into_iter().map(|(id, number)| (id, row::count(number))).collect())
}

/// The same by the words of a text column.
pub(crate) async fn count_by_word(tx: &mut ReadTx, noun: &Noun, column: &str) -> Result<Vec<(String, u64)>> {
    let mut sql = QueryBuilder::new(tx.dialect(), "SELECT ");
    sql.push(column).push(", count(*)");
    push_visible(tx, noun, &mut sql, &[])?;
    sql.push(" GROUP BY ").push(column).push(" ORDER BY ").push(column);
    let rows: Vec<(String, i64)> = sql.build_query_as().fetch_all(&mut tx.tx).await?;
    Ok(rows.into_iter().map(|(word, number)| (word, row::count(number))).collect())
}

async fn read<R, T>(tx: &mut ReadTx, query: &ListQuery, list: &Prepared<'_>) -> Result<Listed<T>>
where
    R: Record,
    T: TryFrom<R, Error = StoreError> + Send,
{
    let total = if query.total {
        let mut sql = QueryBuilder::new(tx.dialect(), "SELECT count(*)");
        list.push_rows(&mut sql);
        let (number,): (i64,) = sql.build_query_as().fetch_one(&mut tx.tx).await?;
        Some(row::count(number))
    } else {
        None
    };
    let mut sql = QueryBuilder::new(tx.dialect(), "SELECT ");
    list.push_page(&mut sql);
    let mut items = Vec::with_capacity(list.size);
    let (mut last, mut more) = (None, false);
    sql.build()
        .fetch(&mut tx.tx, |row| {
            more = items.len() == list.size;
            if more {
                return Ok(());
            }
            items.push(T::try_from(row.read::<R>()?)?);
            if items.len() == list.size {
                last = Some(row);
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    let next = match last {
        Some(last) if more => Some(next_key(&last, &list.orders)?),
        _ => None,
    };
    Ok(Listed { items, total, next })
}

/// Pushes FROM and WHERE of every row of a noun that the transaction may see and that the conditions choose, for sums.
pub(crate) fn push_visible(tx: &ReadTx, noun: &Noun, sql: &mut QueryBuilder, conditions: &[Condition<'_>]) -> Result<()> {
    let (organization, account) = tx.bound()?;
    let all = Prepared { narrowed: tx.narrowed.clone(), ..Prepared::new(noun, &ListQuery::default(), organization, account, conditions)? };
    all.push_rows(sql);
    Ok(())
}

/// Restricts a query of another form to what lists show the caller of this transaction: rows of the account that it is in, and
/// where it is narrowed, of what its scopes cover.
pub(crate) fn push_reach(tx: &ReadTx, sql: &mut QueryBuilder, account: &str, category: Category) -> Result<()> {
    let (organization, bound) = tx.bound()?;
    if let Some(bound) = bound {
        sql.push(" AND ").push(account).push(" = ").push_bind(bound);
    }
    let Some(scopes) = &tx.narrowed else { return Ok(()) };
    sql.push(" AND (1 = 0");
    for scope in scopes {
        sql.push(" OR (1 = 1");
        if let Some(selector) = &scope.accounts {
            sql.push(" AND ").push(account).push(" IS NOT NULL");
            push_selector(sql, account, organization, selector);
        }
        if let Some(categories) = &scope.integrations {
            push_categories(sql, category, &categories.categories);
        }
        sql.push(")");
    }
    sql.push(")");
    Ok(())
}

impl<'a> Prepared<'a> {
    /// A list of a caller that is not narrowed.
    fn new(noun: &'a Noun, query: &ListQuery, organization: Uuid, account: Option<Uuid>, conditions: &'a [Condition<'a>]) -> Result<Self> {
        let orders = orders(noun, &query.orders)?;
        let filters = query.filters.iter().map(|filter| readable(noun, filter)).collect::<Result<Vec<_>>>()?;
        let after = query.start_after.as_deref().filter(|text| !text.is_empty()).map(|text| start_after(text, &orders)).transpose()?;
        let size = usize::try_from(query.page_size().min(ListQuery::MAX_LIMIT)).unwrap_or_default();
        Ok(Self {
            noun,
            organization,
            account,
            narrowed: None,
            within_account: true,
            also_within: None,
            of_store: false,
            conditions,
            filters,
            chosen: Vec::new(),
            orders,
            after,
            size,
        })
    }

    /// Everything from FROM on that decides which rows belong to the list.
    fn push_rows(&self, sql: &mut QueryBuilder) {
        sql.push(" FROM ").push(self.noun.table).push(" WHERE ");
        self.push_conditions(sql);
    }

    fn push_conditions(&self, sql: &mut QueryBuilder) {
        if self.of_store {
            sql.push("1 = 1");
        } else {
            let organization = if self.chosen.iter().any(Chosen::sorts) { sql.dialect().unindexed("organization_id") } else { "organization_id".to_owned() };
            sql.push(organization).push(" = ").push_bind(self.organization);
        }
        if let (Some(column), Some(account)) = (self.noun.account, self.account) {
            sql.push(" AND ").push(column).push(" = ").push_bind(account);
        }
        if let Some(scopes) = &self.narrowed {
            self.push_scopes(sql, scopes);
        }
        if self.noun.tombstones {
            sql.push(" AND deleted_at IS NULL");
        }
        for condition in self.conditions {
            sql.push(" AND ");
            condition(sql);
        }
        for filter in &self.filters {
            sql.push(" AND ");
            filter.push(sql);
        }
        for chosen in &self.chosen {
            sql.push(" AND ");
            chosen.push(sql, self.noun, self.organization);
        }
    }

    /// Restricts to the union of what the scopes cover; none at all cover nothing.
    fn push_scopes(&self, sql: &mut QueryBuilder, scopes: &[ResourceScope]) {
        match scopes {
            [] => {
                sql.push(" AND 1 = 0");
            }
            // Without brackets around, the planner sees the index that serves a single account.
            [scope] => {
                sql.push(" AND ");
                self.push_scope(sql, scope);
            }
            scopes => {
                sql.push(" AND (");
                for (number, scope) in scopes.iter().enumerate() {
                    sql.push(if number > 0 { " OR (" } else { "(" });
                    self.push_scope(sql, scope);
                    sql.push(")");
                }
                sql.push(")");
            }
        }
    }

    /// Restricts to what one scope covers: each of its parts must hold.
    fn push_scope(&self, sql: &mut QueryBuilder, scope: &ResourceScope) {
        if let Some(also) = self.also_within {
            sql.push("(");
            also(sql, scope);
            sql.push(" OR (");
        }
        sql.push("1 = 1");
        if let (Some(column), Some(selector)) = (self.noun.account.filter(|_| self.within_account), &scope.accounts) {
            push_selector(sql, column, self.organization, selector);
        }
        if let Some(categories) = &scope.integrations {
            push_categories(sql, self.noun.category, &categories.categories);
        }
        if self.also_within.is_some() {
            sql.push("))");
        }
    }

    /// The page: columns, conditions, where it begins, order and size, with one row more to know whether another follows.
    fn push_page(&self, sql: &mut QueryBuilder) {
        sql.push(self.noun.columns);
        for (number, (field, _)) in self.orders.iter().enumerate() {
            sql.push(format_args!(", {} AS sort_key_{number}", field.key(sql.dialect())));
        }
        match self.orders.first().and_then(|(field, _)| field.part) {
            Some(part) => {
                push_from(sql, self.noun, part, self.organization);
                self.push_conditions(sql);
            }
            None => self.push_rows(sql),
        }
        if let Some(after) = &self.after {
            sql.push(" AND ");
            push_after(sql, &self.orders, after);
        }
        sql.push(" ORDER BY ");
        for (field, direction) in &self.orders {
            sql.push(field.key(sql.dialect())).push(word(*direction)).push(", ");
        }
        sql.push("id").push(word(last_direction(&self.orders)));
        // Not bound: SQLite plans by the limit, so for a bound one it prepares the statement anew every time.
        sql.push(" LIMIT ").push(self.size + 1);
    }
}

const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Asc => " ASC",
        Direction::Desc => " DESC",
    }
}

/// The id breaks ties in the direction of the last key, so that one index serves the whole order.
fn last_direction(orders: &[(Field, Direction)]) -> Direction {
    orders.last().map_or(Direction::Asc, |(_, direction)| *direction)
}

fn orders(noun: &Noun, asked: &[Order]) -> Result<Vec<(Field, Direction)>> {
    let mut orders: Vec<(Field, Direction)> = Vec::with_capacity(asked.len().max(1));
    for order in asked {
        let field = noun.fields.iter().find(|field| field.name == order.field && field.ordered()).ok_or_else(|| {
            Problem::new(Code::InvalidOrder, format!("The list cannot be ordered by `{}`. Order by one of: {}.", order.field, names(noun, |field| field.ordered())))
                .at(Location::Query, "order")
        })?;
        if field.part.is_some() && !orders.is_empty() {
            return Err(Problem::new(Code::InvalidOrder, format!("`{}` can only be the first key of an order. Put it in front, or leave it out.", field.name))
                .at(Location::Query, "order")
                .into());
        }
        // A key that stands twice decides nothing the second time.
        if !orders.iter().any(|(known, _)| known.name == field.name) {
            orders.push((*field, order.direction));
        }
    }
    if orders.is_empty() {
        orders.extend(noun.fields.iter().find(|field| field.name == noun.default_order).map(|field| (*field, Direction::Asc)));
    }
    Ok(orders)
}

fn names(noun: &Noun, choose: impl Fn(&Field) -> bool) -> String {
    noun.fields.iter().filter(|field| choose(field)).map(|field| field.name).collect::<Vec<_>>().join(", ")
}

fn push_value(sql: &mut QueryBuilder, value: &Value) {
    match value {
        Value::Text(text) => sql.push_bind(text.clone()),
        Value::Time(at) => sql.push_bind(At(*at)),
        Value::Id(id) => sql.push_bind(*id),
        Value::Number(number) => sql.push_bind(*number),
        Value::LeastTime => sql.push(sql.dialect().no_time()),
        Value::LeastId => sql.push(sql.dialect().no_id()),
    };
}

/// Restricts a list to these categories, where its rows have one.
fn push_categories(sql: &mut QueryBuilder, place: Category, categories: &[IdOrAll<Connector>]) {
    if categories.contains(&IdOrAll::All) {
        return;
    }
    let categories = categories.iter().filter_map(|category| match category {
        IdOrAll::Id(category) => Some(Value::Text(category.as_str().to_owned())),
        IdOrAll::All => None,
    });
    match place {
        Category::None => {}
        Category::Column(column) => {
            sql.push(" AND ").push(column).push(" IN (");
            push_list(sql, categories);
            sql.push(")");
        }
        Category::OfIntegration(column) => {
            sql.push(" AND (").push(column).push(" IS NULL OR EXISTS (SELECT 1 FROM integration_instances AS chosen_integration WHERE chosen_integration.id = ").push(column);
            sql.push(" AND chosen_integration.connector IN (");
            push_list(sql, categories);
            sql.push(")))");
        }
    }
}

/// Restricts to rows whose JSON array at `path` of `column` is there and holds nothing but these values.
pub(crate) fn push_subset(sql: &mut QueryBuilder, column: &'static str, path: &'static str, values: &[String]) {
    let dialect = sql.dialect();
    sql.push(" AND ").push(dialect.json_is_array(column, path)).push(" AND NOT EXISTS (SELECT 1 FROM ").push(dialect.json_elements_at(column, path));
    // Of nothing, nothing is a part, and a comparison with an empty list would say so of nothing at all.
    if values.is_empty() {
        sql.push(" WHERE 1 = 1)");
        return;
    }
    sql.push(" WHERE each.value NOT IN (");
    push_list(sql, values.iter().cloned().map(Value::Text));
    sql.push("))");
}

/// Restricts `column` to accounts that a token's resource scope covers.
fn push_selector(sql: &mut QueryBuilder, column: &str, organization: Uuid, selector: &AccountSelector) {
    if let Some(ids) = selector.ids.as_ref().filter(|ids| !ids.contains(&IdOrAll::All)) {
        sql.push(" AND ").push(column).push(" IN (");
        push_list(
            sql,
            ids.iter().filter_map(|id| match id {
                IdOrAll::Id(id) => Some(Value::Id(id.uuid())),
                IdOrAll::All => None,
            }),
        );
        sql.push(")");
    }
    if selector.labels.is_none() && selector.environments.is_none() {
        return;
    }
    sql.push(" AND ").push(column).push(" IN (SELECT chosen.id FROM accounts AS chosen WHERE chosen.organization_id = ").push_bind(organization);
    if let Some(labels) = &selector.labels {
        let elements = sql.dialect().json_elements("chosen.labels");
        sql.push(" AND EXISTS (SELECT 1 FROM ").push(elements).push(" WHERE each.value IN (");
        push_list(sql, labels.iter().map(|label| Value::Text(label.as_str().to_owned())));
        sql.push("))");
    }
    if let Some(environments) = &selector.environments {
        sql.push(" AND chosen.environment IN (");
        push_list(sql, environments.iter().map(|environment| Value::Text(environment.as_str().to_owned())));
        sql.push(")");
    }
    sql.push(")");
}

/// Values with commas between; one that matches nothing when there are none.
fn push_list(sql: &mut QueryBuilder, values: impl Iterator<Item = Value>) {
    let mut any = false;
    for value in values {
        if any {
            sql.push(", ");
        }
        push_value(sql, &value);
        any = true;
    }
    if !any {
        sql.push("NULL");
    }
}

#[cfg(test)]
mod plans;
#[cfg(test)]
mod server_plans;
