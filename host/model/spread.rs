//! Doing the same with many items on a bounded number of threads.
//!
//! Leaves what is done to the callers. Tasks of plugins, which wait for each
//! other, are `runner`'s.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Returns what `make` makes of each of `items`, in their order, made on at most
/// `threads` threads, the items with the most `weight` first.
pub(crate) fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    weight: impl Fn(&T) -> u64,
    make: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(items.get(*index).map_or(0, &weight)));
    let next = AtomicUsize::new(0);
    let made: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let work = || {
        while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(item) = items.get(*index) else { return };
            let result = make(item);
            made.lock().unwrap_or_else(PoisonError::into_inner).push((*index, result));
        }
    };
    std::thread::scope(|scope| {
        // The thread that waits for the others works as well.
        for _ in 1..threads.max(1).min(items.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    made.sort_by_key(|(index, _)| *index);
    made.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_and_misses_none() {
        for threads in [0, 1, 2, 7] {
            let items: Vec<u64> = (0..100).collect();
            let doubled = each(&items, threads, |item| item % 7, |item| item * 2);
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
            assert!(each(&[0u64; 0], threads, |item| *item, |item| *item).is_empty());
        }
    }
}
