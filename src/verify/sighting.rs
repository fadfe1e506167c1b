//! The sightings of a canary: where it was seen, and after which time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::plan::ObservationPoint;

/// The state of a canary at an observation point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SightingStatus {
    Seen,
    NotSeen,
    /// The point cannot show the canary, for example after an interruption.
    NotObservable,
}

impl SightingStatus {
    /// Returns the value that is used in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::NotSeen => "not_seen",
            Self::NotObservable => "not_observable",
        }
    }
}

/// The canary of one region at one observation point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The ID of the observation point.
    pub point: &'static str,
    /// The region of the call; `None` for a point that does not distinguish regions.
    pub region: Option<String>,
    pub status: SightingStatus,
    /// The time from the call to the sighting; `None` if it is not known.
    pub after: Option<Duration>,
    /// One phrase about the sighting, or the reason why there is none.
    pub observed: String,
    /// Name, key or ARN of the resource.
    pub resource: String,
}

/// A listener that receives each sighting.
type Listener<'a> = Box<dyn Fn(&Sighting) + Send + Sync + 'a>;

/// The sightings of a run in the order of an event. Observers run concurrently and share the board.
pub struct SightingBoard<'a> {
    sightings: Mutex<Vec<Sighting>>,
    changed: Notify,
    listener: Listener<'a>,
}

impl<'a> SightingBoard<'a> {
    /// Creates a board on which nothing was seen. `listener` receives each sighting.
    #[must_use]
    pub fn new(
        points: &[ObservationPoint],
        regions: &[String],
        listener: impl Fn(&Sighting) + Send + Sync + 'a,
    ) -> Self {
        let empty = |point: &ObservationPoint, region: Option<&String>| Sighting {
            point: point.id(),
            region: region.cloned(),
            status: SightingStatus::NotSeen,
            after: None,
            observed: "not seen yet".to_owned(),
            resource: point.resource().to_owned(),
        };
        let mut sightings = Vec::new();
        for region in regions {
            let per_region = points.iter().filter(|point| point.is_per_region());
            sightings.extend(per_region.map(|point| empty(point, Some(region))));
        }
        let others = points.iter().filter(|point| !point.is_per_region());
        sightings.extend(others.map(|point| empty(point, None)));
        Self {
            sightings: Mutex::new(sightings),
            changed: Notify::new(),
            listener: Box::new(listener),
        }
    }

    /// Records the first sighting at a point. Later ones are ignored.
    pub fn record_seen(
        &self,
        point: &str,
        region: Option<&str>,
        after: Option<Duration>,
        observed: impl Into<String>,
        resource: Option<&str>,
    ) {
        self.update(point, region, |sighting| {
            sighting.status = SightingStatus::Seen;
            sighting.after = after;
            sighting.observed = observed.into();
            if let Some(resource) = resource {
                resource.clone_into(&mut sighting.resource);
            }
        });
    }

    /// Records that a point cannot show the canary.
    pub fn record_not_observable(&self, point: &str, region: Option<&str>, reason: &str) {
        self.update(point, region, |sighting| {
            sighting.status = SightingStatus::NotObservable;
            reason.clone_into(&mut sighting.observed);
        });
    }

    fn update(&self, point: &str, region: Option<&str>, change: impl FnOnce(&mut Sighting)) {
        let changed = {
            let mut sightings = self.lock();
            let found = sightings.iter_mut().find(|sighting| {
                sighting.point == point
                    && sighting.region.as_deref() == region
                    && sighting.status == SightingStatus::NotSeen
            });
            found.map(|sighting| {
                change(sighting);
                sighting.clone()
            })
        };
        if let Some(sighting) = changed {
            (self.listener)(&sighting);
            self.changed.notify_waiters();
        }
    }

    /// Returns true if the canary of the region, or of any region, was not seen at the point yet.
    #[must_use]
    pub fn is_awaited(&self, point: &str, region: Option<&str>) -> bool {
        self.lock().iter().any(|sighting| {
            sighting.point == point
                && sighting.status == SightingStatus::NotSeen
                && region.is_none_or(|region| sighting.region.as_deref() == Some(region))
        })
    }

    /// Returns true if the canary of any region was seen at the point.
    #[must_use]
    pub fn is_seen(&self, point: &str) -> bool {
        let seen = |sighting: &Sighting| {
            sighting.point == point && sighting.status == SightingStatus::Seen
        };
        self.lock().iter().any(seen)
    }

    /// Waits until the condition is true. It is evaluated after each sighting.
    pub async fn wait_until(&self, condition: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the condition is evaluated, so that no change is missed.
            changed.as_mut().enable();
            if condition(self) {
                return;
            }
            changed.await;
        }
    }

    /// Returns the sightings in the order of an event.
    #[must_use]
    pub fn sightings(&self) -> Vec<Sighting> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Sighting>> {
        self.sightings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns true if the canary was seen at every point that can show it.
#[must_use]
pub fn is_complete(sightings: &[Sighting]) -> bool {
    let has = |status| sightings.iter().any(|sighting| sighting.status == status);
    has(SightingStatus::Seen) && !has(SightingStatus::NotSeen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<ObservationPoint> {
        let queue = ObservationPoint::Queue { name: "q".into() };
        vec![ObservationPoint::EventHistory, queue]
    }

    #[test]
    fn board_keeps_only_the_first_sighting() {
        let reported = Mutex::new(Vec::new());
        let regions = ["us-east-1".to_owned(), "eu-west-1".to_owned()];
        let board = SightingBoard::new(&points(), &regions, |sighting| {
            reported.lock().unwrap().push(sighting.after);
        });
        let seconds = |count| Some(Duration::from_secs(count));
        let region = Some("us-east-1");
        board.record_seen("event_history", region, seconds(1), "first", None);
        board.record_seen("event_history", region, seconds(2), "second", None);
        board.record_seen(
            "event_history",
            Some("us-west-2"),
            seconds(3),
            "third",
            None,
        );
        assert_eq!(*reported.lock().unwrap(), [seconds(1)]);
        assert!(!board.is_awaited("event_history", region));
        assert!(board.is_awaited("event_history", None));
        let sightings = board.sightings();
        assert_eq!(sightings.len(), 3);
        assert_eq!(sightings[2].region, None);
        assert!(!is_complete(&sightings));
    }

    #[test]
    fn unobservable_points_do_not_prevent_completion() {
        let board = SightingBoard::new(&points(), &["r".to_owned()], |_| {});
        board.record_not_observable("queue", None, "after an interruption");
        assert!(!is_complete(&board.sightings()));
        board.record_seen("event_history", Some("r"), None, "recorded", None);
        assert!(is_complete(&board.sightings()));
        let nothing = SightingBoard::new(&points()[1..], &[], |_| {});
        nothing.record_not_observable("queue", None, "after an interruption");
        assert!(!is_complete(&nothing.sightings()));
    }

    #[tokio::test(start_paused = true)]
    async fn wait_ends_with_the_sighting() {
        let board = SightingBoard::new(&points(), &["r".to_owned()], |_| {});
        let wait = board.wait_until(|board| board.is_seen("event_history"));
        let see = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            board.record_seen("event_history", Some("r"), None, "recorded", None);
        };
        tokio::join!(wait, see);
    }
}
