//! What requests ask for, and their errors, as JSON.

use crate::queries::{Place, QueryError, DEFAULT_PAGE, MAX_PAGE};
use crate::readers::ReadError;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::{request::Parts, StatusCode};
use cicada_amounts::Units;
use cicada_core::Account;
use cicada_program::http::Failure;
use serde::de::DeserializeOwned;

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let status = match &error {
            ReadError::Query(QueryError::Absent(_)) => StatusCode::NOT_FOUND,
            ReadError::Query(QueryError::Bad(_)) => StatusCode::BAD_REQUEST,
            ReadError::Query(QueryError::Overflow) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        if status.is_server_error() {
            tracing::warn!("a request failed: {error}");
        }
        Self::new(status, error)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        ReadError::from(error).into()
    }
}

/// The part of an address after `?`, with errors as JSON.
pub(super) struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(asked)| Self(asked)).map_err(|error| Failure::bad(error.body_text()))
    }
}

/// A name or an account in an address, with errors as JSON.
pub(super) struct Named<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(named)| Self(named)).map_err(|error| Failure::bad(error.body_text()))
    }
}

/// The entries of a page, as asked for.
pub(super) fn limit(asked: Option<u32>) -> Result<u32, Failure> {
    match asked.unwrap_or(DEFAULT_PAGE) {
        limit @ 1..=MAX_PAGE => Ok(limit),
        other => Err(Failure::bad(format!("limit is {other}; it is 1 to {MAX_PAGE}"))),
    }
}

/// Where to go on, as asked for.
pub(super) fn place(asked: Option<&str>) -> Result<Place, Failure> {
    Ok(asked.map(Place::parse).transpose()?.unwrap_or(Place::END))
}

/// After which holder to go on.
pub(super) fn holder(text: &str) -> Result<(Units, Account), Failure> {
    let parsed = || {
        let (total, account) = text.split_once('-')?;
        let account = account.parse().ok()?;
        Some((Units(total.parse().ok()?), account))
    };
    parsed().ok_or_else(|| {
        Failure::bad(format!("'{text}' is no place: take `next` of the page before"))
    })
}
