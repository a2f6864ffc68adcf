//! Filters and orders by the fields of what a row belongs to, such as `account.name` of an integration.
//!
//! No single plan is good for all of them. Where the filters choose one parent, its rows are read from the index that has
//! its id in front. Where they choose few rows, those are looked up and sorted. Where they choose many, the list is read in
//! its own order and each row's parent looked at, and a page is full soon. Which it is, two small counting queries tell.

use uuid::Uuid;

use super::filter::Readable;
use super::{Noun, Prepared, Value, push_list};

use crate::db::QueryBuilder;
use crate::error::Result;
use crate::transaction::ReadTx;

/// What the rows of a noun belong to.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its table, which has `id`, `organization_id`, `name` and `deleted_at`.
    pub(crate) table: &'static str,
    /// The column that refers to it.
    pub(crate) column: &'static str,
    /// Whether rows may be without one.
    pub(crate) optional: bool,
}

/// Most parents that are named one by one.
const PARENTS: i64 = 256;
/// Most rows that are sorted instead of being found in order.
const SORTED: i64 = 5_000;

/// Which rows the filters on a part choose.
pub(super) enum Chosen {
    /// Those of one parent.
    One(&'static Part, Uuid),
    /// Those of a few parents, few altogether.
    Few(&'static Part, Vec<Uuid>),
    /// Too many to name: each row's parent is looked at.
    Many(&'static Part, Vec<Readable>),
}

impl Chosen {
    /// Takes the filters on parts out of a list's filters and finds out what they choose.
    pub(super) async fn of(tx: &mut ReadTx, list: &mut Prepared<'_>) -> Result<Vec<Self>> {
        let (on_parts, own): (Vec<Readable>, Vec<Readable>) = std::mem::take(&mut list.filters).into_iter().partition(|filter| filter.part().is_some());
        list.filters = own;
        let mut groups: Vec<(&'static Part, Vec<Readable>)> = Vec::new();
        for filter in on_parts {
            let Some(part) = filter.part() else { continue };
            match groups.iter_mut().find(|(known, _)| std::ptr::eq(*known, part)) {
                Some((_, filters)) => filters.push(filter),
                None => groups.push((part, vec![filter])),
            }
        }
        let mut chosen = Vec::with_capacity(groups.len());
        for (part, filters) in groups {
            chosen.push(Self::choose(tx, list, part, filters).await?);
        }
        Ok(chosen)
    }

    async fn choose(tx: &mut ReadTx, list: &Prepared<'_>, part: &'static Part, filters: Vec<Readable>) -> Result<Self> {
        // What is missing is unlike everything, so rows without a parent pass when nothing but that is asked.
        if part.optional && filters.iter().all(Readable::negated) {
            return Ok(Self::Many(part, filters));
        }
        let mut sql = QueryBuilder::new(tx.dialect(), "SELECT id FROM ");
        sql.push(part.table).push(" WHERE organization_id = ").push_bind(list.organization).push(" AND deleted_at IS NULL");
        for filter in &filters {
            sql.push(" AND ");
            filter.push(&mut sql);
        }
        sql.push(" LIMIT ").push(PARENTS + 1);
        let parents: Vec<(Uuid,)> = sql.build_query_as().fetch_all(&mut tx.tx).await?;
        let parents: Vec<Uuid> = parents.into_iter().map(|(id,)| id).collect();
        if let [one] = parents.as_slice() {
            return Ok(Self::One(part, *one));
        }
        if i64::try_from(parents.len()).is_ok_and(|number| number <= PARENTS) {
            let mut sql = QueryBuilder::new(tx.dialect(), "SELECT count(*) FROM (");
            push_rows(&mut sql, list.noun, list.organization, part, &parents);
            sql.push(" LIMIT ").push(SORTED + 1).push(") AS counted");
            let (rows,): (i64,) = sql.build_query_as().fetch_one(&mut tx.tx).await?;
            if rows <= SORTED {
                return Ok(Self::Few(part, parents));
            }
        }
        Ok(Self::Many(part, filters))
    }

    /// Whether the list is best found by its rows' ids, and then sorted.
    pub(super) fn sorts(&self) -> bool {
        matches!(self, Self::Few(..))
    }

    pub(super) fn push(&self, sql: &mut QueryBuilder, noun: &Noun, organization: Uuid) {
        match self {
            Self::One(part, id) => {
                sql.push(part.column).push(" = ").push_bind(*id);
            }
            Self::Few(part, parents) => {
                sql.push("id IN (");
                push_rows(sql, noun, organization, part, parents);
                sql.push(")");
            }
            Self::Many(part, filters) => {
                let (table, column) = (noun.table, part.column);
                if part.optional && filters.iter().all(Readable::negated) {
                    sql.push("(").push(column).push(" IS NULL OR ");
                }
                sql.push(format_args!("EXISTS (SELECT 1 FROM {} AS parent WHERE parent.id = {table}.{column}", part.table));
                for filter in filters {
                    sql.push(" AND ");
                    filter.push(sql);
                }
                sql.push(if part.optional && filters.iter().all(Readable::negated) { "))" } else { ")" });
            }
        }
    }
}

/// The ids of all rows of these parents.
fn push_rows(sql: &mut QueryBuilder, noun: &Noun, organization: Uuid, part: &Part, parents: &[Uuid]) {
    sql.push("SELECT child.id FROM ").push(noun.table).push(" AS child WHERE child.organization_id = ").push_bind(organization);
    sql.push(" AND child.").push(part.column).push(" IN (");
    push_list(sql, parents.iter().map(|id| Value::Id(*id)));
    sql.push(") AND child.deleted_at IS NULL");
}

/// The expression for the name of the part by which a list is ordered.
pub(super) const ORDERED: &str = "part_name";

/// FROM of a page that is ordered by the name of a part, up to its conditions: the part stands first, so that its index
/// gives the order.
pub(super) fn push_from(sql: &mut QueryBuilder, noun: &Noun, part: &Part, organization: Uuid) {
    sql.push(format_args!(" FROM (SELECT id AS part_id, name AS {ORDERED} FROM {} WHERE organization_id = ", part.table)).push_bind(organization);
    sql.push(" AND deleted_at IS NULL) AS part CROSS JOIN ").push(noun.table).push(" WHERE part_id = ").push(part.column).push(" AND ");
}
