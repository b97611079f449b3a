//! Reading in the order of the key.

use sqlx::PgConnection;

/// A plan that reads more than a batch asks for would read the whole table for every batch. For the transaction that the
/// connection is in.
pub(crate) async fn follow(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    const SETTINGS: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off; \
                            SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; \
                            SET LOCAL plan_cache_mode = force_custom_plan";
    sqlx::raw_sql(SETTINGS).execute(transaction).await.map(drop)
}

/// Both sides of a comparison are read once, whatever their lengths: row by row that would be their product.
pub(crate) async fn allow_whole_joins(transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("SET LOCAL enable_mergejoin = on; SET LOCAL enable_hashjoin = on")
        .execute(transaction)
        .await
        .map(drop)
}
