//! What is declared in `db_service`, as far as this role may read it.

use relayout::layout::planner::Policy;
use sqlx::PgConnection;

use crate::advice::measured::Layer;

pub(super) struct Declared {
    pub(super) layer: Layer,
    pub(super) keeps_versions: bool,
    leaves: Vec<(String, u32)>,
    policies: Vec<(String, Policy)>,
}

impl Declared {
    pub(super) async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let found = sqlx::query_file!("queries/advice/layer.sql").fetch_one(&mut *connection).await?;
        let layer = match (found.is_there, found.may_read_layout) {
            (false, _) => Layer::Absent,
            (true, false) => Layer::Hidden,
            (true, true) => Layer::There,
        };
        let (mut leaves, mut policies) = (Vec::new(), Vec::new());
        if found.may_read_layout {
            let rows =
                sqlx::query!("SELECT l.table_name, l.leaves FROM db_service.layout l").fetch_all(&mut *connection);
            leaves.extend(rows.await?.into_iter().map(|row| (row.table_name, row.leaves.cast_unsigned())));
        }
        if found.may_read_policy {
            let rows = sqlx::query!("SELECT p.table_name, p.leaf_rows, p.most_leaves FROM db_service.layout_policy p")
                .fetch_all(connection)
                .await?;
            policies.extend(rows.into_iter().map(|row| {
                let most_leaves = row.most_leaves.cast_unsigned() as usize;
                (row.table_name, Policy { leaf_rows: row.leaf_rows.cast_unsigned(), most_leaves })
            }));
        }
        Ok(Self { layer, keeps_versions: found.keeps_versions, leaves, policies })
    }

    pub(super) fn leaves(&self, table: &str) -> Option<u32> {
        self.leaves.iter().find(|(name, _)| name == table).map(|(_, leaves)| *leaves)
    }

    pub(super) fn policy(&self, table: &str) -> Option<Policy> {
        self.policies.iter().find(|(name, _)| name == table).map(|(_, policy)| *policy)
    }
}
