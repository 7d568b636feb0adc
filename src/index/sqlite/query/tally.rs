//! Figures by the id of a row.

use std::collections::HashMap;

/// Figures by id. Ids are mostly small and dense: a vector is much faster than a hash map for half a million rows.
#[derive(Default)]
pub(super) struct Tally<T> {
    small: Vec<T>,
    others: HashMap<i64, T>,
}

impl<T: Default + PartialEq> Tally<T> {
    /// Ids below it are in the vector.
    const SMALL: usize = 1 << 18;

    /// The figures of an id.
    pub(super) fn of(&mut self, number: i64) -> &mut T {
        match usize::try_from(number) {
            Ok(number) if number < Self::SMALL => {
                if number >= self.small.len() {
                    self.small.resize_with(number + 1, T::default);
                }
                &mut self.small[number]
            }
            _ => self.others.entry(number).or_default(),
        }
    }

    /// All changed figures, in no order.
    pub(super) fn into_figures(self) -> impl Iterator<Item = (i64, T)> {
        let nothing = T::default();
        (0..).zip(self.small).chain(self.others).filter(move |(_, figures)| *figures != nothing)
    }
}
