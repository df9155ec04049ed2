//! Spans of time as people say them.

/// `3d4h`, `2h5m`, `4m7s` or `12s`: two units tell enough.
pub(super) fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, _, _) => format!("{hours}h{}m", minutes % 60),
        (_, _, _) => format!("{days}d{}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let spans = [0, 59, 60, 3_599, 3_600, 86_399, 90_000].map(span);
        assert_eq!(
            spans,
            ["0s", "59s", "1m0s", "59m59s", "1h0m", "23h59m", "1d1h"]
        );
    }
}
