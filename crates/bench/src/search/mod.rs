//! Searches by the layer's functions, against what pgvector gives by hand on the same rows: how fast, how much of the truth
//! they find, what they cost writers, and how they grow.

mod cases;
mod contender;
mod contest;
mod ground;
mod growth;
mod measured;
mod reach;
mod sized;
mod writes;

use corpus::Source;
use database::{DatabaseUrl, ServerUrl, connection};
use terminal::console::Console;

use crate::error::Error;
use crate::scratch::{self, SetUp};
use cases::Case;
use contender::{Contender, K};
use ground::{Ground, SCRATCH};
use sized::Sized;

pub use measured::Measured;

/// What the codes are indexed as; the layer begins with the first, and the last needs VectorChord.
const FORMS: [&str; 3] = ["halfvec", "bits", VCHORDRQ];

const VCHORDRQ: &str = "vchordrq";

/// How much of it.
#[derive(Clone, Debug)]
pub struct Size {
    /// Vectors; each is a database of its own, in this order.
    pub vectors: Vec<u64>,
    /// How many search at once, besides one alone.
    pub clients: Vec<u16>,
    /// Vectors that are taken out of the table and searched for.
    pub queries: u16,
}

/// Measures in a scratch database of its own, which is dropped afterwards. `source` is asked for each size anew.
///
/// # Errors
/// [`Error::NotOurs`] if there is a database of that name that no benchmark has made; else what could not be done.
pub fn measure(
    source: &dyn Fn() -> Result<Source, corpus::Error>,
    size: &Size,
    server: &ServerUrl,
    set_up: SetUp<'_>,
    console: &Console,
) -> Result<Measured, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(async {
        let mut sizes = Vec::new();
        for vectors in &size.vectors {
            let source = source()?.limit(Some(*vectors + u64::from(size.queries)));
            let work = async |url: &DatabaseUrl| measure_in(source, size, url, set_up, console).await;
            sizes.push(scratch::within(server, SCRATCH, work).await?);
        }
        Ok(Measured { sizes })
    })
}

async fn measure_in(
    source: Source,
    size: &Size,
    url: &DatabaseUrl,
    set_up: SetUp<'_>,
    console: &Console,
) -> Result<Sized, Error> {
    let failed = |doing: &'static str| database::Error::sql(doing, SCRATCH);
    let ground = Ground::lay(source, size.queries, url, set_up, console).await?;
    let job = console.job("bench");
    let mut contests = Vec::new();
    let search = async |case: Case| {
        job.announce(&format!("Searching {}", case.name));
        contest::run(url, case, &ground.queries, &size.clients).await.map_err(failed("search"))
    };
    for case in cases::without_codes(&ground) {
        contests.push(search(case).await?);
    }
    let (mut writes, mut forms) = (Vec::new(), Vec::new());
    for form in FORMS.into_iter().filter(|form| *form != VCHORDRQ || ground.has_vchord) {
        job.announce(&format!("Building the codes as {form}"));
        ground::switch(url, form, ground.rows, set_up, console).await?;
        contests.push(search(cases::across_by(form, &ground)).await?);
        let mut connection = connection::connect(url).await?;
        forms.push((form, ground::index_bytes(&mut connection).await.map_err(failed("read the size of the codes"))?));
        job.announce(&format!("Writing, with codes as {form}"));
        writes.push(writes::measure(&mut connection, form, &ground).await.map_err(failed("write"))?);
        connection::close(connection).await;
    }
    let mut connection = connection::connect(url).await?;
    let nothing = Contender::ours(&format!("search_in_repository('a repository that nobody has', $1, {K})"));
    let nothing = nothing.median(&mut connection, &ground.queries).await.map_err(failed("search for nothing"))?;
    connection::close(connection).await;
    Ok(Sized { ground, contests, nothing, writes, forms })
}
