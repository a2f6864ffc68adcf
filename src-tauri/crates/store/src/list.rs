//! Lists: one way of filtering, ordering and paging for every noun, driven by a table of its fields.
//!
//! Pages are cut by key, not by offset: the next page begins behind the sort keys and the id of the last row, so page N
//! costs what page 1 costs, rows with equal keys are never skipped, and rows that come or go meanwhile shift nothing.

use patchbay_model::list::{Direction, Filter, ListQuery, Listed, Operator, Order};
use patchbay_model::permission::{AccountSelector, IdOrAll};
use patchbay_model::problem::Location;
use patchbay_model::{Code, Problem, Timestamp};
use sqlx::{FromRow, QueryBuilder, Row};
use uuid::Uuid;

use crate::dialect::{self, At, Db};
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
}

impl Field {
    pub(crate) const fn new(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind, nullable: false }
    }

    pub(crate) const fn nullable(name: &'static str, sql: &'static str, kind: Kind) -> Self {
        Self { name, sql, kind, nullable: true }
    }

    /// The expression by which rows are ordered: never null, so that keys compare without exceptions.
    fn key(self) -> String {
        if !self.nullable {
            return self.sql.to_owned();
        }
        let least = match self.kind {
            Kind::Time => dialect::NO_TIME,
            Kind::Id => dialect::NO_ID,
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
    /// Whether rows are tombstoned.
    pub(crate) tombstones: bool,
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
pub(crate) type Condition<'a> = &'a (dyn Fn(&mut QueryBuilder<Db>) + Send + Sync);

/// A list, understood: fields known, values in their types, the scope bound.
struct Prepared<'a> {
    noun: &'a Noun,
    organization: Uuid,
    account: Option<Uuid>,
    narrowed: Option<AccountSelector>,
    conditions: &'a [Condition<'a>],
    filters: Vec<Readable>,
    orders: Vec<(Field, Direction)>,
    after: Option<After>,
    size: usize,
}

/// Reads one page. `within_account` binds the scope's account and the token's choice of accounts too; it is left out for
/// what an account may see of its organization.
pub(crate) async fn page<R, T>(tx: &mut ReadTx, noun: &Noun, query: &ListQuery, within_account: bool, conditions: &[Condition<'_>]) -> Result<Listed<T>>
where
    R: for<'r> FromRow<'r, <Db as sqlx::Database>::Row>,
    T: TryFrom<R, Error = StoreError>,
{
    let (organization, account) = tx.bound()?;
    let narrowed = tx.narrowed.clone().filter(|_| within_account);
    let list = Prepared::new(noun, query, organization, account.filter(|_| within_account), narrowed, conditions)?;
    let total = if query.total {
        let mut sql = QueryBuilder::<Db>::new("SELECT count(*)");
        list.push_conditions(&mut sql);
        let (number,): (i64,) = sql.build_query_as().fetch_one(&mut *tx.tx).await?;
        Some(row::count(number))
    } else {
        None
    };
    let mut sql = QueryBuilder::<Db>::new("SELECT ");
    list.push_page(&mut sql);
    let mut rows = sql.build().fetch_all(&mut *tx.tx).await?;
    let more = rows.len() > list.size;
    rows.truncate(list.size);
    let next = match rows.last() {
        Some(last) if more => Some(next_key(last, &list.orders)?),
        _ => None,
    };
    let items = rows.iter().map(|row| T::try_from(R::from_row(row)?)).collect::<Result<Vec<T>>>()?;
    Ok(Listed { items, total, next })
}

impl<'a> Prepared<'a> {
    fn new(noun: &'a Noun, query: &ListQuery, organization: Uuid, account: Option<Uuid>, narrowed: Option<AccountSelector>, conditions: &'a [Condition<'a>]) -> Result<Self> {
        let orders = orders(noun, &query.orders)?;
        let filters = query.filters.iter().map(|filter| readable(noun, filter)).collect::<Result<Vec<_>>>()?;
        let after = query.start_after.as_deref().filter(|text| !text.is_empty()).map(|text| start_after(text, &orders)).transpose()?;
        let size = usize::try_from(query.page_size().min(ListQuery::MAX_LIMIT)).unwrap_or_default();
        Ok(Self { noun, organization, account, narrowed, conditions, filters, orders, after, size })
    }

    /// Everything from FROM on that decides which rows belong to the list.
    fn push_conditions(&self, sql: &mut QueryBuilder<Db>) {
        sql.push(" FROM ").push(self.noun.table).push(" WHERE organization_id = ").push_bind(self.organization);
        if let (Some(column), Some(account)) = (self.noun.account, self.account) {
            sql.push(" AND ").push(column).push(" = ").push_bind(account);
        }
        if let (Some(column), Some(selector)) = (self.noun.account, &self.narrowed) {
            push_selector(sql, column, self.organization, selector);
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
    }

    /// The page: columns, conditions, where it begins, order and size, with one row more to know whether another follows.
    fn push_page(&self, sql: &mut QueryBuilder<Db>) {
        sql.push(self.noun.columns);
        for (number, (field, _)) in self.orders.iter().enumerate() {
            sql.push(format_args!(", {} AS sort_key_{number}", field.key()));
        }
        self.push_conditions(sql);
        if let Some(after) = &self.after {
            sql.push(" AND ");
            push_after(sql, &self.orders, after);
        }
        sql.push(" ORDER BY ");
        for (field, direction) in &self.orders {
            sql.push(field.key()).push(word(*direction)).push(", ");
        }
        sql.push("id").push(word(last_direction(&self.orders)));
        sql.push(" LIMIT ").push_bind(i64::try_from(self.size + 1).unwrap_or(i64::MAX));
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
        let field = noun.fields.iter().find(|field| field.name == order.field && field.kind != Kind::Texts).ok_or_else(|| {
            Problem::new(
                Code::InvalidOrder,
                format!("The list cannot be ordered by `{}`. Order by one of: {}.", order.field, names(noun, |field| field.kind != Kind::Texts)),
            )
            .at(Location::Query, "order")
        })?;
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

/// A filter whose field is known and whose values have the field's type.
struct Readable {
    field: Field,
    operator: Operator,
    values: Vec<Value>,
}

fn readable(noun: &Noun, filter: &Filter) -> Result<Readable> {
    let bad = |message: String| Problem::new(Code::InvalidFilter, message).at(Location::Query, "filter");
    let field = *noun
        .fields
        .iter()
        .find(|field| field.name == filter.field)
        .ok_or_else(|| bad(format!("The list cannot be filtered by `{}`. Filter by one of: {}.", filter.field, names(noun, |_| true))))?;
    let pattern = matches!(filter.operator, Operator::Like | Operator::NotLike);
    let ordering = matches!(filter.operator, Operator::Gt | Operator::Lt | Operator::Gte | Operator::Lte);
    if (pattern && !matches!(field.kind, Kind::Text | Kind::Name | Kind::Texts)) || (ordering && matches!(field.kind, Kind::Texts | Kind::Id)) {
        return Err(bad(format!("The field `{}` cannot be compared in this way. Use eq, ne, in or not in.", field.name)).into());
    }
    let values = filter
        .values
        .iter()
        .map(|text| {
            if pattern {
                return Ok(Value::Text(pattern_of(text)));
            }
            let value = match field.kind {
                Kind::Text | Kind::Texts => Some(Value::Text(text.clone())),
                Kind::Name => Some(Value::Text(text.to_lowercase())),
                Kind::Time => text.parse().ok().map(Value::Time),
                Kind::Id => text.parse().ok().map(Value::Id),
                Kind::Number => text.parse().ok().map(Value::Number),
            };
            let shape = match field.kind {
                Kind::Time => "a time such as 2026-01-31T12:00:00Z",
                Kind::Id => "an id (a UUID)",
                Kind::Number => "a whole number",
                Kind::Text | Kind::Name | Kind::Texts => "text",
            };
            value.ok_or_else(|| StoreError::from(bad(format!("The filter on `{}` needs {shape}.", field.name))))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Readable { field, operator: filter.operator, values })
}

/// A LIKE pattern, in which only `%` and `*` are wild; slugs are full of `_`, which LIKE would take for any character.
fn pattern_of(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        match c {
            '*' | '%' => {
                if !pattern.ends_with('%') {
                    pattern.push('%');
                }
            }
            '_' | '\\' => {
                pattern.push('\\');
                pattern.push(c);
            }
            c => pattern.extend(c.to_lowercase()),
        }
    }
    pattern
}

impl Readable {
    fn push(&self, sql: &mut QueryBuilder<Db>) {
        if self.field.kind == Kind::Texts {
            let negated = matches!(self.operator, Operator::Ne | Operator::NotIn | Operator::NotLike);
            let elements = dialect::json_elements(self.field.sql);
            sql.push(if negated { "NOT EXISTS (SELECT 1 FROM " } else { "EXISTS (SELECT 1 FROM " }).push(elements).push(" WHERE ");
            let operator = match self.operator {
                Operator::Like | Operator::NotLike => Operator::Like,
                _ => Operator::In,
            };
            compare(sql, "each.value", operator, &self.values, false, false);
            sql.push(")");
            return;
        }
        let folded = format!("lower({})", self.field.sql);
        let column = if self.field.kind == Kind::Name { folded.as_str() } else { self.field.sql };
        compare(sql, column, self.operator, &self.values, self.field.nullable, self.field.kind == Kind::Name);
    }
}

/// Pushes one comparison. A missing value is unlike everything: `ne`, `not in` and `not like` hold for it.
fn compare(sql: &mut QueryBuilder<Db>, column: &str, operator: Operator, values: &[Value], nullable: bool, folded: bool) {
    let (symbol, negated) = match operator {
        Operator::Eq => (" = ", false),
        Operator::Ne => (" <> ", true),
        Operator::Gt => (" > ", false),
        Operator::Lt => (" < ", false),
        Operator::Gte => (" >= ", false),
        Operator::Lte => (" <= ", false),
        Operator::In => (" IN (", false),
        Operator::NotIn => (" NOT IN (", true),
        Operator::Like => (" LIKE ", false),
        Operator::NotLike => (" NOT LIKE ", true),
    };
    let or_missing = nullable && negated;
    if or_missing {
        sql.push("(").push(column).push(" IS NULL OR ");
    }
    match operator {
        Operator::In | Operator::NotIn => {
            sql.push(column).push(symbol);
            for (number, value) in values.iter().enumerate() {
                if number > 0 {
                    sql.push(", ");
                }
                push_value(sql, value);
            }
            sql.push(")");
        }
        Operator::Like | Operator::NotLike => {
            let left = if folded { column.to_owned() } else { format!("lower({column})") };
            sql.push(left).push(symbol);
            if let Some(value) = values.first() {
                push_value(sql, value);
            }
            sql.push(" ESCAPE '\\'");
        }
        _ => {
            sql.push(column).push(symbol);
            if let Some(value) = values.first() {
                push_value(sql, value);
            }
        }
    }
    if or_missing {
        sql.push(")");
    }
}

fn push_value(sql: &mut QueryBuilder<Db>, value: &Value) {
    match value {
        Value::Text(text) => sql.push_bind(text.clone()),
        Value::Time(at) => sql.push_bind(At(*at)),
        Value::Id(id) => sql.push_bind(*id),
        Value::Number(number) => sql.push_bind(*number),
        Value::LeastTime => sql.push(dialect::NO_TIME),
        Value::LeastId => sql.push(dialect::NO_ID),
    };
}

/// Where a page begins: behind these keys and this id, or behind the first key alone when a client gives no more.
struct After {
    keys: Vec<Value>,
    id: Option<Uuid>,
}

/// Reads `start_after`: what we gave out as next, which is the keys and the id with commas between, or a bare value of the
/// first sort key, which is what the wire's own clients send.
fn start_after(text: &str, orders: &[(Field, Direction)]) -> Result<After> {
    let given_out = text.rsplit_once(',').and_then(|(keys, id)| {
        let id = id.parse::<Uuid>().ok()?;
        let texts: Vec<String> = if orders.len() == 1 { vec![keys.to_owned()] } else { keys.split(',').map(unescaped).collect() };
        if texts.len() != orders.len() {
            return None;
        }
        let keys = texts.iter().zip(orders).map(|(text, (field, _))| key_value(*field, text)).collect::<Option<Vec<_>>>()?;
        Some(After { keys, id: Some(id) })
    });
    if let Some(after) = given_out {
        return Ok(after);
    }
    let bare = orders.first().and_then(|(field, _)| key_value(*field, text));
    match bare {
        Some(key) => Ok(After { keys: vec![key], id: None }),
        None => Err(Problem::new(
            Code::InvalidCursor,
            "The start_after is not a value of the field by which the list is ordered. Take it from the last row of the page before, or from the X-Next-Start-After header.",
        )
        .at(Location::Query, "start_after")
        .into()),
    }
}

fn key_value(field: Field, text: &str) -> Option<Value> {
    match field.kind {
        Kind::Text | Kind::Name | Kind::Texts => Some(Value::Text(text.to_owned())),
        Kind::Time if text.is_empty() => Some(Value::LeastTime),
        Kind::Time => text.parse().ok().map(Value::Time),
        Kind::Id if text.is_empty() => Some(Value::LeastId),
        Kind::Id => text.parse().ok().map(Value::Id),
        Kind::Number => text.parse().ok().map(Value::Number),
    }
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace(',', "%2C")
}

fn unescaped(text: &str) -> String {
    text.replace("%2C", ",").replace("%25", "%")
}

/// The condition that a row comes behind the keys. With one direction it is a comparison of rows, which an index answers;
/// mixed directions are spelled out, behind a bound on the first key that keeps the index useful.
fn push_after(sql: &mut QueryBuilder<Db>, orders: &[(Field, Direction)], after: &After) {
    let Some(id) = after.id else {
        if let (Some((field, direction)), Some(key)) = (orders.first(), after.keys.first()) {
            sql.push(field.key()).push(beyond(*direction));
            push_value(sql, key);
        }
        return;
    };
    let last = last_direction(orders);
    if orders.iter().all(|(_, direction)| *direction == last) {
        sql.push("(");
        for (field, _) in orders {
            sql.push(field.key()).push(", ");
        }
        sql.push("id)").push(beyond(last)).push("(");
        for key in &after.keys {
            push_value(sql, key);
            sql.push(", ");
        }
        sql.push_bind(id);
        sql.push(")");
        return;
    }
    if let (Some((field, direction)), Some(key)) = (orders.first(), after.keys.first()) {
        sql.push(field.key()).push(match direction {
            Direction::Asc => " >= ",
            Direction::Desc => " <= ",
        });
        push_value(sql, key);
        sql.push(" AND ");
    }
    sql.push("(");
    for depth in 0..=orders.len() {
        if depth > 0 {
            sql.push(" OR ");
        }
        sql.push("(");
        for ((field, _), key) in orders.iter().zip(&after.keys).take(depth) {
            sql.push(field.key()).push(" = ");
            push_value(sql, key);
            sql.push(" AND ");
        }
        match (orders.get(depth), after.keys.get(depth)) {
            (Some((field, direction)), Some(key)) => {
                sql.push(field.key()).push(beyond(*direction));
                push_value(sql, key);
            }
            _ => {
                sql.push("id").push(beyond(last));
                sql.push_bind(id);
            }
        }
        sql.push(")");
    }
    sql.push(")");
}

const fn beyond(direction: Direction) -> &'static str {
    match direction {
        Direction::Asc => " > ",
        Direction::Desc => " < ",
    }
}

/// The value for the next page's `start_after`.
fn next_key(row: &<Db as sqlx::Database>::Row, orders: &[(Field, Direction)]) -> Result<String> {
    let mut parts = Vec::with_capacity(orders.len() + 1);
    for (number, (field, _)) in orders.iter().enumerate() {
        let column = format!("sort_key_{number}");
        let column = column.as_str();
        let text = match field.kind {
            // A missing time is empty text and a missing id no bytes: they do not read as what they stand for.
            Kind::Time => row.try_get::<At, _>(column).map(|At(at)| at.to_string()).unwrap_or_default(),
            Kind::Id => row.try_get::<Uuid, _>(column).map(|id| id.to_string()).unwrap_or_default(),
            Kind::Number => row.try_get::<i64, _>(column)?.to_string(),
            Kind::Text | Kind::Name | Kind::Texts => row.try_get::<String, _>(column)?,
        };
        parts.push(if orders.len() == 1 { text } else { escaped(&text) });
    }
    parts.push(row.try_get::<Uuid, _>("id")?.to_string());
    Ok(parts.join(","))
}

/// Restricts `column` to accounts that a token's resource scope covers.
fn push_selector(sql: &mut QueryBuilder<Db>, column: &str, organization: Uuid, selector: &AccountSelector) {
    if let Some(ids) = selector.ids.as_ref().filter(|ids| !ids.contains(&IdOrAll::All)) {
        sql.push(" AND ").push(column).push(" IN (");
        push_list(sql, ids.iter().filter_map(|id| match id {
            IdOrAll::Id(id) => Some(Value::Id(id.uuid())),
            IdOrAll::All => None,
        }));
        sql.push(")");
    }
    if selector.labels.is_none() && selector.environments.is_none() {
        return;
    }
    sql.push(" AND ").push(column).push(" IN (SELECT chosen.id FROM accounts AS chosen WHERE chosen.organization_id = ").push_bind(organization);
    if let Some(labels) = &selector.labels {
        sql.push(" AND EXISTS (SELECT 1 FROM ").push(dialect::json_elements("chosen.labels")).push(" WHERE each.value IN (");
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
fn push_list(sql: &mut QueryBuilder<Db>, values: impl Iterator<Item = Value>) {
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
mod plans {
    //! Page N must cost what page 1 costs: the plans of the lists are held to an index that gives their order.

    use sqlx::{Connection, SqliteConnection};

    use super::*;

    async fn plan(noun: &Noun, query: &ListQuery, account: Option<Uuid>, conditions: &[Condition<'_>]) -> String {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        crate::store::MIGRATIONS.run(&mut connection).await.unwrap();
        let list = Prepared::new(noun, query, Uuid::from_u128(1), account, None, conditions).unwrap();
        let mut sql = QueryBuilder::<Db>::new("EXPLAIN QUERY PLAN SELECT ");
        list.push_page(&mut sql);
        let rows: Vec<(i64, i64, i64, String)> = sql.build_query_as().fetch_all(&mut connection).await.unwrap();
        rows.into_iter().map(|(.., detail)| detail).collect::<Vec<_>>().join("; ")
    }

    fn query(order: &[&str], start_after: Option<String>) -> ListQuery {
        ListQuery { orders: order.iter().map(|text| Order::parse(text).unwrap()).collect(), start_after, ..ListQuery::default() }
    }

    fn assert_indexed(plan: &str, index: &str) {
        assert!(plan.contains(&format!("USING INDEX {index} ")), "{index} is not used: {plan}");
        assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "rows are sorted or scanned: {plan}");
    }

    #[tokio::test]
    async fn default_orders_are_read_from_an_index() {
        let key = || Some(format!("some-name,{}", Uuid::from_u128(7)));
        let account = Some(Uuid::from_u128(2));
        for after in [None, key(), Some("some-name".to_owned())] {
            for (noun, index) in [
                (&crate::accounts::NOUN, "accounts_list"),
                (&crate::members::NOUN, "members_list"),
                (&crate::points::NOUN, "integration_points_list"),
                (&crate::provider_apps::NOUN, "provider_apps_list"),
                (&crate::credentials::NOUN, "credentials_list"),
                (&crate::tokens::NOUN, "token_containers_list"),
                (&crate::integrations::NOUN, "integration_instances_list"),
            ] {
                assert_indexed(&plan(noun, &query(&[], after.clone()), None, &[]).await, index);
                assert_indexed(&plan(noun, &query(&["name[desc]"], after.clone()), None, &[]).await, index);
            }
            assert_indexed(&plan(&crate::integrations::NOUN, &query(&[], after.clone()), account, &[]).await, "integration_instances_list_account");
            let of_account = |sql: &mut QueryBuilder<Db>| {
                sql.push("account_id = ").push_bind(Uuid::from_u128(2));
            };
            assert_indexed(&plan(&crate::integrations::NOUN, &query(&[], after.clone()), None, &[&of_account]).await, "integration_instances_list_account");
        }
        let time = format!("2026-01-31T12:00:00.000000Z,{}", Uuid::from_u128(7));
        for after in [None, Some(time)] {
            for order in ["created_at", "created_at[desc]"] {
                assert_indexed(&plan(&crate::audit::NOUN, &query(&[order], after.clone()), None, &[]).await, "audit_events_list");
                assert_indexed(&plan(&crate::audit::NOUN, &query(&[order], after.clone()), account, &[]).await, "audit_events_account");
                assert_indexed(&plan(&crate::integrations::NOUN, &query(&[order], after.clone()), None, &[]).await, "integration_instances_created");
            }
        }
    }

    #[tokio::test]
    async fn the_filters_of_the_screens_are_read_from_an_index() {
        let id = Uuid::from_u128(3);
        let point = format!("integration_point_id[eq]{id}");
        for (filter, index) in [
            ("status[eq]needs_attention", "integration_instances_status"),
            ("provider_type[eq]ticketing_jira", "integration_instances_provider"),
            (point.as_str(), "integration_instances_point"),
        ] {
            for after in [None, Some(format!("some-name,{id}"))] {
                let query = ListQuery { filters: vec![Filter::parse(filter).unwrap()], ..query(&[], after) };
                assert_indexed(&plan(&crate::integrations::NOUN, &query, None, &[]).await, index);
            }
        }
        for (filter, index) in [("member_id", "audit_events_member"), ("integration_id", "audit_events_integration"), ("account_id", "audit_events_account")] {
            let query = ListQuery { filters: vec![Filter::parse(&format!("{filter}[eq]{id}")).unwrap()], ..query(&["created_at[desc]"], None) };
            assert_indexed(&plan(&crate::audit::NOUN, &query, None, &[]).await, index);
        }
    }

    #[tokio::test]
    async fn the_next_page_begins_within_the_index() {
        let after = Some(format!("some-name,{}", Uuid::from_u128(7)));
        let plan = plan(&crate::integrations::NOUN, &query(&[], after), None, &[]).await;
        assert!(plan.contains("(organization_id=? AND (name,id)>(?,?))"), "the key is not sought in the index: {plan}");
    }

    #[test]
    fn patterns_know_two_wild_characters() {
        assert_eq!(pattern_of("Demo_*-%x**\\"), "demo\\_%-%x%\\\\");
        assert_eq!(unescaped(&escaped("a,b%2Cc")), "a,b%2Cc");
    }
}
