//! Events that lie on this machine. Nothing is called, so no credentials are needed.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::show::Show;
use super::{alerts, select};
use crate::cli;
use crate::command::World;
use crate::error::{Error, Exit, Result};
use crate::render::{self, Ui};
use crate::tail::Unit;
use crate::tail::accounts::Accounts;
use crate::tail::crew::{Crew, Place, Word};
use crate::tail::files::{Found, STANDARD_INPUT, find};
use crate::tail::press::Press;

/// How long a reader may be silent before somebody looks whether to go on.
const PATIENCE: Duration = Duration::from_millis(100);

pub(super) async fn run(world: &World, args: cli::Tail) -> Result<Exit> {
    if world.global.region.is_some() {
        return Err(Error::usage(
            "read files in a region",
            "--region is where AWS is called, and with FILE it is not",
        )
        .hint("--event-region REGION shows the events of a region"));
    }
    let found = find(&args.files)
        .map_err(|(path, why)| Error::usage(format!("read {}", path.display()), why))?;
    let severities = select::severities(&args.select)?;
    let alerts = alerts::alerts(world.ui, &args.alerts)?;
    let press = Press {
        filter: select::filter(&args.select, &severities)?,
        alerts: (!alerts.is_empty()).then(|| Arc::clone(&severities)),
        write: render::record::writer(world.ui, severities, Accounts::new()),
    };
    let reading = Reading {
        ui: world.ui,
        show: Show::new(world.ui, &args, Arc::clone(&alerts)),
        stopped: Arc::default(),
    };
    let (stopped, mut stop) = (Arc::clone(&reading.stopped), world.interrupt.stop());
    let mut work =
        tokio::task::spawn_blocking(move || reading.all(&found, press, args.max_object_size));
    let ended = tokio::select! {
        ended = &mut work => ended,
        () = stop.wait() => {
            stopped.store(true, Ordering::Relaxed);
            work.await
        }
    };
    let ended = ended.unwrap_or_else(|why| Err(Error::unanswered("read files", why.to_string())));
    alerts::end(world.ui, alerts, ended.as_ref().ok().copied()).await;
    ended
}

struct Reading {
    ui: Ui,
    show: Show,
    /// Set when the operator wants no more.
    stopped: Arc<AtomicBool>,
}

impl Reading {
    fn all(mut self, found: &[Found], press: Press, largest: u64) -> Result<Exit> {
        let places = self.sorted_out(found);
        let go_on = if render::record::heading(&self.ui) {
            let places: Arc<[Place]> = places.into();
            let crew = Crew::hire(&places, &Arc::new(press), largest)
                .map_err(|why| Error::unanswered("read files", why.to_string()))?;
            places
                .iter()
                .enumerate()
                .try_for_each(|(number, place)| self.one(&crew, number, place))
        } else {
            ControlFlow::Break(())
        };
        self.show.sums();
        Ok(self.exit(go_on))
    }

    /// Wrong names are no objects, and told at once.
    fn sorted_out(&mut self, found: &[Found]) -> Vec<Place> {
        let mut places = Vec::new();
        for found in found {
            match found {
                Found::File(path) => places.push(Place::File(path.clone())),
                Found::Stream(path) => places.push(Place::Stream(path.clone())),
                Found::Skipped(skip, path) => {
                    self.show.skipped(Unit::Object, skip.reason(), &name(path));
                }
                Found::Unread(path, why) => {
                    self.show.failed(Some(Unit::Object), &name(path), why, None);
                }
            }
        }
        places
    }

    fn one(&mut self, crew: &Crew, number: usize, place: &Place) -> ControlFlow<()> {
        let (Place::File(path) | Place::Stream(path)) = place;
        let name = name(path);
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            self.show.sums_in_time();
            match crew.word(number, PATIENCE) {
                None => {}
                Some(Word::Batch(batch)) => self.show.batch(&batch, &name)?,
                Some(Word::Done(Ok(()))) => {
                    self.show.read(Unit::Object);
                    return ControlFlow::Continue(());
                }
                Some(Word::Done(Err(why))) => {
                    let why = why.to_string();
                    self.show.failed(Some(Unit::Object), &name, &why, None);
                    return ControlFlow::Continue(());
                }
            }
        }
    }

    fn exit(&self, go_on: ControlFlow<()>) -> Exit {
        if self.stopped.load(Ordering::Relaxed) {
            Exit::Interrupted
        } else if self.show.tally.has_trouble() {
            Exit::Unanswered
        } else if go_on.is_continue() && self.show.tally.records.shown == 0 {
            Exit::No
        } else {
            Exit::Yes
        }
    }
}

fn name(path: &Path) -> String {
    if path.as_os_str() == STANDARD_INPUT {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}
