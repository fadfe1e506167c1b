//! The context that every command gets: arguments, user interface, AWS clients and cancellation.

use std::sync::Arc;

use super::blocking::run_blocking;
use super::call_log_file::CallLogFile;
use super::ctrl_c::Interrupt;
use super::write_log::WriteLog;
use crate::aws::configuration::file_endpoints;
use crate::aws::{
    Aws, AwsCall, BucketCredentials, CallEvent, CallListener, ConnectionSettings, MfaPrompt,
};
use crate::cli::{GlobalArgs, value_parsers};
use crate::error::{Error, Result};
use crate::naming::ResourceNames;
use crate::render::{self, Ui};

/// Receives every finished call.
pub(crate) type CallRecorder = dyn Fn(AwsCall) + Send + Sync;

pub(crate) struct Context {
    pub ui: Ui,
    pub global: GlobalArgs,
    pub interrupt: Interrupt,
    /// Changes that were made before the command's own prompt.
    pub writes: WriteLog,
}

impl Context {
    /// Creates AWS clients with the global options.
    ///
    /// # Errors
    /// A usage error if an endpoint is not encrypted and not local.
    pub async fn connect(&self) -> Result<Aws> {
        self.connect_recording(None).await
    }

    /// Creates AWS clients with the global options. `recorder` receives every finished call.
    ///
    /// # Errors
    /// A usage error if an endpoint is not encrypted and not local.
    pub async fn connect_recording(&self, recorder: Option<Arc<CallRecorder>>) -> Result<Aws> {
        reject_insecure_endpoints()?;
        let ui = self.ui;
        let log_file = match self.global.log_file.clone() {
            Some(path) => {
                let open = move || CallLogFile::open(&path);
                Some(run_blocking(&self.interrupt, open).await?)
            }
            None => None,
        };
        let is_observed =
            ui.is_verbose() || ui.can_redraw() || log_file.is_some() || recorder.is_some();
        let observer: Arc<CallListener> = Arc::new(move |event| {
            render::status_line::show_call(&event);
            let CallEvent::Finished(call) = event else {
                return;
            };
            if ui.is_verbose() {
                render::progress::print_call(ui, &call);
            }
            if let Some(file) = &log_file {
                file.write(&call);
            }
            if let Some(recorder) = &recorder {
                recorder(call);
            }
        });
        let mfa_prompt: Arc<MfaPrompt> = Arc::new(move |serial: &str| ui.mfa_code(serial));
        let settings = ConnectionSettings {
            profile: self.global.profile.clone(),
            bucket_credentials: self.bucket_credentials(),
            region: self.global.region.clone(),
            endpoint: self.global.endpoint_url.clone(),
            observer: is_observed.then_some(observer),
            mfa_prompt: ui.can_prompt().then_some(mfa_prompt),
        };
        let aws = Aws::connect(&settings);
        let aws = self.cancellable(aws).await?;
        // The AWS configuration file can set an endpoint, too.
        let files = file_endpoints(self.global.profile.as_deref());
        let bucket_profile = self.global.bucket_profile.as_deref();
        let bucket_files = bucket_profile.map_or_else(Vec::new, |name| file_endpoints(Some(name)));
        let files = files.into_iter().chain(bucket_files);
        for endpoint in aws.endpoint().into_iter().chain(files) {
            value_parsers::endpoint(&endpoint).map_err(|why| {
                Error::usage(format!("the endpoint {endpoint} is not allowed")).with_reason(why)
            })?;
        }
        Ok(aws)
    }

    /// Returns the credentials for the account of the log bucket, if it is not that of `--profile`.
    pub fn bucket_credentials(&self) -> Option<BucketCredentials> {
        let GlobalArgs {
            bucket_profile,
            bucket_role,
            ..
        } = &self.global;
        let profile = bucket_profile.clone().map(BucketCredentials::Profile);
        profile.or_else(|| bucket_role.clone().map(BucketCredentials::Role))
    }

    pub fn names(&self) -> ResourceNames {
        ResourceNames::new(&self.global.name_prefix)
    }

    /// Runs work that changes nothing. At the first interrupt, it fails.
    pub async fn cancellable<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let cancellation = self.interrupt.cancellation();
        tokio::select! {
            result = work => result,
            () = cancellation.cancelled() => Err(self.interrupted_error()),
        }
    }

    pub fn interrupted_error(&self) -> Error {
        Error::interrupted(self.writes.unchanged_notice())
    }
}

/// Applies the rule of `--endpoint-url` to the environment variables that set endpoints.
fn reject_insecure_endpoints() -> Result<()> {
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        if name.starts_with("AWS_ENDPOINT_URL") && !value.is_empty() {
            value_parsers::endpoint(&value)
                .map_err(|why| Error::usage(format!("{name} is not allowed")).with_reason(why))?;
        }
    }
    Ok(())
}
