//! The parameters of a request: a list by place or an object by name.

use super::error;
use jsonrpsee::types::{ErrorObjectOwned, Params};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::VecDeque;

enum Given {
    List(VecDeque<Value>),
    Object(Map<String, Value>),
}

/// What a request was given, to be taken in the order in which the method declares it.
pub struct Args(Given);

impl Args {
    /// The parameters of a request; none at all are an empty list.
    ///
    /// # Errors
    /// If they are neither a list nor an object.
    pub fn new(params: &Params) -> Result<Self, ErrorObjectOwned> {
        let given: Option<Value> = params.parse()?;
        match given {
            None => Ok(Self(Given::List(VecDeque::new()))),
            Some(Value::Array(list)) => Ok(Self(Given::List(list.into()))),
            Some(Value::Object(object)) => Ok(Self(Given::Object(object))),
            Some(_) => Err(error::params("a list or an object is expected")),
        }
    }

    /// The next parameter. Its name is in camel case; snake case is understood too. What is missing is `null`.
    ///
    /// # Errors
    /// If it is not a `T`.
    pub fn next<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ErrorObjectOwned> {
        let value = match &mut self.0 {
            Given::List(list) => list.pop_front(),
            Given::Object(object) => object.remove(name).or_else(|| object.remove(&snake(name))),
        };
        serde_json::from_value(value.unwrap_or_default())
            .map_err(|error| error::params(format!("{name}: {error}")))
    }

    /// The parameters of a method that takes a single object of options: given as the object itself, as the
    /// only element of a list, or as a list of the options' values.
    pub fn options(self) -> Self {
        match self.0 {
            Given::List(mut list) if matches!(list.front(), Some(Value::Object(_))) => {
                match list.pop_front() {
                    Some(Value::Object(object)) => Self(Given::Object(object)),
                    _ => Self(Given::List(list)),
                }
            }
            given => Self(given),
        }
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
