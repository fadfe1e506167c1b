//! Collects the inventory for a set of options, and decides which trails to inspect.

use super::OptionProfile;
use super::simulation::setup_queries;
use super::trail_selection::{next_to_inspect, snapshot};
use crate::aws::Aws;
use crate::inventory::{Collector, Inventory, InventoryRequest, Lookups};

/// Maximum number of inspection rounds. More would mean thousands of calls for hundreds of trails.
const MAX_ROUNDS: usize = 4;

/// Collects everything that the checks of these options need.
pub async fn collect(aws: &Aws, request: InventoryRequest, options: &[OptionProfile]) -> Inventory {
    let deep = request.deep;
    let lookups = Lookups::for_options(options.iter().map(|option| option.identity));
    let mut collector = Collector::start(aws, request, lookups).await;
    for round in 0..MAX_ROUNDS {
        let next = next_to_inspect(collector.inventory(), options, round == 0);
        if next.is_empty() {
            break;
        }
        collector.inspect(&next).await;
    }
    if deep {
        let queries = options
            .iter()
            .filter_map(|option| {
                let queries = setup_queries(&snapshot(collector.inventory(), option), option)?;
                Some((option.identity.name, queries))
            })
            .collect();
        collector.simulate(queries).await;
    }
    collector.finish()
}
