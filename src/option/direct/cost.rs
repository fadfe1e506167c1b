//! The monthly cost of option s3-direct: one message per object, without a topic. The queue has no key by default.

use crate::cost::{
    CostEstimate, CostItem, MonthlyUsage, PriceId, UsageFigure, queue_assumptions, queue_requests,
};

/// Returns the quantities of a month, or the figures that are not known. The objects are the log files of the trail.
pub(super) fn monthly_cost(usage: &MonthlyUsage) -> Result<CostEstimate, Vec<UsageFigure>> {
    let [files] = usage.require([UsageFigure::LogFiles])?;
    let mut items = Vec::from(queue_requests(files, PriceId::SqsStandardRequest));
    items.push(CostItem::new(
        "S3",
        "requests to read log files",
        files,
        PriceId::S3Get,
    ));
    Ok(CostEstimate {
        items,
        assumptions: queue_assumptions(),
    })
}
