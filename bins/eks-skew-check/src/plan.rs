//! `plan`: the hops of declared clusters, and what changes in which file before and after each.

use eks_report::ExitCode;

use crate::Environment;
use crate::cli::PlanArgs;

pub(crate) fn plan(_args: &PlanArgs, _environment: &mut Environment<'_>) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not yet")
}
