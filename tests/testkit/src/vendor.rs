//! Acts as Heeler: assumes the customer's role and receives the events from the queue.

use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_smithy_types::error::display::DisplayErrorContext;

use crate::Clients;
use crate::clients::credentials;
use crate::program::RUN_TIMEOUT;

/// A session of Heeler in the customer's role.
#[derive(Clone, Debug)]
pub struct HeelerSession {
    clients: Clients,
}

impl HeelerSession {
    /// Assumes Heeler's own role, and with it the customer's role.
    pub async fn start(
        endpoint: &str,
        region: &str,
        owner: &Clients,
        own_role: &str,
        role: &str,
        external_id: &str,
    ) -> Result<HeelerSession, String> {
        let own = assume(owner, own_role, None).await?;
        let own = Clients::new(endpoint, own, region);
        let customer = assume(&own, role, Some(external_id)).await?;
        Ok(HeelerSession {
            clients: Clients::new(endpoint, customer, region),
        })
    }

    /// Clients with the permissions of the customer's role.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Receives and deletes messages until there are `wanted` of them, and returns their bodies. After a long time, it
    /// returns fewer.
    pub async fn receive(&self, queue_url: &str, wanted: usize) -> Result<Vec<String>, String> {
        self.receive_within(queue_url, wanted, RUN_TIMEOUT).await
    }

    /// Receives and deletes messages until there are `wanted` of them or the time is over, and returns their bodies.
    pub async fn receive_within(
        &self,
        queue_url: &str,
        wanted: usize,
        limit: Duration,
    ) -> Result<Vec<String>, String> {
        let started = Instant::now();
        let mut bodies = Vec::new();
        while bodies.len() < wanted && started.elapsed() < limit {
            let received = self
                .clients
                .sqs
                .receive_message()
                .queue_url(queue_url)
                .max_number_of_messages(10)
                .wait_time_seconds(1)
                .send()
                .await
                .map_err(|error| DisplayErrorContext(error).to_string())?;
            for message in received.messages() {
                bodies.push(message.body().unwrap_or_default().to_owned());
                self.clients
                    .sqs
                    .delete_message()
                    .queue_url(queue_url)
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .send()
                    .await
                    .map_err(|error| DisplayErrorContext(error).to_string())?;
            }
        }
        Ok(bodies)
    }

    /// Reads an object of a notification.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Vec<u8>, String> {
        let read = self.clients.s3.get_object().bucket(bucket).key(key);
        let read = read
            .send()
            .await
            .map_err(|error| DisplayErrorContext(error).to_string())?;
        let body = read
            .body
            .collect()
            .await
            .map_err(|error| error.to_string())?;
        Ok(body.into_bytes().to_vec())
    }
}

async fn assume(
    clients: &Clients,
    role: &str,
    external_id: Option<&str>,
) -> Result<Credentials, String> {
    let assumed = clients
        .sts
        .assume_role()
        .role_arn(role)
        .role_session_name("heeler-security")
        .set_external_id(external_id.map(str::to_owned))
        .send()
        .await
        .map_err(|error| DisplayErrorContext(error).to_string())?;
    let issued = assumed
        .credentials()
        .ok_or("the response has no credentials")?;
    Ok(credentials(
        issued.access_key_id(),
        issued.secret_access_key(),
        Some(issued.session_token()),
    ))
}
