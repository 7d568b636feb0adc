//! Names as they are compared: without case, in any script.

/// Longest part of a name that is compared, in characters.
const LONGEST: usize = 512;

/// Folds a name: lower case character by character, so that it does not depend on what stands beside, and at most 512 characters.
pub(in crate::index) fn fold(name: &str) -> String {
    let lower = name.chars().take(LONGEST).flat_map(char::to_lowercase);
    // A final sigma is the same letter.
    lower.map(|character| if character == 'ς' { 'σ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_does_not_matter_in_any_script() {
        for (one, other) in
            [("Orders-ENRICHMENT", "orders-enrichment"), ("ÄÖÜ", "äöü"), ("ЗАКАЗЫ", "заказы"), ("ΟΔΟΣ", "οδος"), ("訂單", "訂單")]
        {
            assert_eq!(fold(one), fold(other));
        }
        assert_eq!(fold(&"É".repeat(1_000)), "é".repeat(512));
    }
}
