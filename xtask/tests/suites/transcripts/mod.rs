//! What people see: the programs in real terminals, narrow and wide, with colour and without.

mod conversion;
mod interrupted;
mod setup;
mod watched;

use crate::Test;

pub(crate) fn tests() -> Vec<(String, Test)> {
    [setup::tests(), conversion::tests(), interrupted::tests()].into_iter().flatten().collect()
}
