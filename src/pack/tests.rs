use proptest::prelude::*;

use super::*;

fn pack(documents: &[(String, Vec<u8>)]) -> Vec<Part> {
    let mut packer = Packer::default();
    let mut parts: Vec<Part> = documents.iter().flat_map(|(path, document)| packer.push(path, document)).collect();
    parts.extend(packer.finish());
    parts
}

/// Reads a document as the server does: from its location on, in steps, over all of its parts.
fn read(parts: &[Part], part: usize, location: DocumentLocation, step: u64) -> Vec<u8> {
    let mut document = Vec::new();
    while (document.len() as u64) < location.length {
        let (further, frame, offset) = location.seek(document.len() as u64);
        let part = &parts[part + usize::try_from(further).unwrap()];
        let wanted = step.min(location.length - document.len() as u64);
        let chunk = unpack(&part.directory, &part.frames, frame, offset, wanted).unwrap();
        assert!(!chunk.is_empty(), "a document ends before its end");
        document.extend(chunk);
    }
    document
}

fn everything(parts: &[Part], step: u64) -> Vec<(String, Vec<u8>)> {
    let listed = parts.iter().enumerate().flat_map(|(number, part)| {
        let documents = list(&part.directory).unwrap().into_iter();
        documents.map(move |(path, location)| (path, read(parts, number, location, step)))
    });
    listed.collect()
}

/// Bytes that hardly compress.
fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&(seed ^ seed >> 29).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn document() -> impl Strategy<Value = Vec<u8>> {
    let length =
        prop_oneof![8 => 0_usize..3000, 3 => 60_000_usize..140_000, 1 => 900_000_usize..1_200_000, 1 => 2_000_000_usize..3_300_000];
    let exact = prop::sample::select(vec![0, 1, FRAME - 1, FRAME, FRAME + 1, 1 << 20, (1 << 20) + 1, 2 << 20]);
    (prop_oneof![4 => length, 1 => exact], any::<u64>(), any::<bool>()).prop_map(|(length, seed, compressible)| {
        if compressible {
            br#"{"id":"x","status":"FINISHED"},"#.iter().copied().cycle().skip(usize::try_from(seed % 31).unwrap()).take(length).collect()
        } else {
            noise(length, seed)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_pack_gives_back_every_document(
        documents in prop::collection::vec(("/[a-e]{1,3}(/[a-z0-9é日]{0,40})?", document()), 0..14),
        step in prop::sample::select(vec![1_000_u64, 65_536, 262_144, u64::MAX]),
    ) {
        let parts = pack(&documents);
        prop_assert_eq!(everything(&parts, step), documents.clone());
        for part in &parts {
            prop_assert!(Header::parse(&part.directory).unwrap().raw_bytes <= PART_BYTES);
        }
        for (path, _) in &documents {
            let last = documents.iter().rfind(|(other, _)| other == path).unwrap();
            let (number, location) = parts.iter().enumerate().rev()
                .find_map(|(number, part)| Some((number, find(&part.directory, path).unwrap()?))).unwrap();
            prop_assert_eq!(&read(&parts, number, location, u64::MAX), &last.1);
        }
        for part in &parts {
            prop_assert_eq!(find(&part.directory, "/not/there").unwrap(), None);
            prop_assert_eq!(find(&part.directory, "").unwrap(), None);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(directory: Vec<u8>, frames: Vec<u8>, frame: u32, offset: u32, wanted: u64) {
        let _ = (find(&directory, "/jobs"), list(&directory), unpack(&directory, &frames, frame, offset, wanted));
        let mut versioned = vec![1, 1];
        versioned.extend(directory);
        let _ = (find(&versioned, "/jobs"), list(&versioned), unpack(&versioned, &frames, frame, offset, wanted));
    }

    #[test]
    fn a_damaged_part_never_panics(at in 0_usize..2000, bit in 0_u8..8, frame in 0_u32..4, offset in 0_u32..70_000) {
        let documents: Vec<_> = (0..40).map(|number| (format!("/jobs/x/vertices/{number}"), noise(4000, number))).collect();
        let mut part = pack(&documents).remove(0);
        let directory_bytes = part.directory.len();
        let damaged = if at < directory_bytes { &mut part.directory[at] } else { &mut part.frames[at - directory_bytes] };
        *damaged ^= 1 << bit;
        let _ = (find(&part.directory, "/jobs/x/vertices/7"), list(&part.directory));
        let _ = unpack(&part.directory, &part.frames, frame, offset, u64::MAX);
    }
}

#[test]
fn documents_that_fit_are_not_divided_between_parts() {
    let documents: Vec<_> = (0..30).map(|number| (format!("/{number}"), noise(300_000, number))).collect();
    let parts = pack(&documents);
    assert_eq!(parts.len(), 10);
    for part in &parts {
        let locations = list(&part.directory).unwrap();
        let last = locations.last().unwrap().1;
        assert!(u64::from(last.frame) * FRAME_BYTES + u64::from(last.offset) + last.length <= PART_BYTES);
    }
}

#[test]
fn a_document_larger_than_a_part_goes_on_in_the_next() {
    let documents = [("/small".to_owned(), noise(100, 1)), ("/large".to_owned(), noise(2_500_000, 2)), ("/next".to_owned(), noise(100, 3))];
    let parts = pack(&documents);
    let listed: Vec<Vec<String>> =
        parts.iter().map(|part| list(&part.directory).unwrap().into_iter().map(|(path, _)| path).collect()).collect();
    assert_eq!(listed, [vec!["/small"], vec!["/large"], vec![], vec!["/next"]]);
    let location = find(&parts[1].directory, "/large").unwrap().unwrap();
    assert_eq!(location, DocumentLocation { frame: 0, offset: 0, length: 2_500_000 });
    assert_eq!(location.seek(2_100_000), (2, 0, 2848));
    assert_eq!(everything(&parts, 300_000), documents);
}

#[test]
fn a_part_is_closed_when_its_table_grows_large() {
    let documents: Vec<_> = (0..100_000).map(|number| (format!("/{number:0>100}"), Vec::new())).collect();
    let parts = pack(&documents);
    assert!(parts.len() > 1);
    assert_eq!(everything(&parts, u64::MAX), documents);
    let long: Vec<_> = (0..9).map(|number| (String::from_utf8(vec![b'a' + number; 64 << 10]).unwrap(), vec![number])).collect();
    assert_eq!(everything(&pack(&long), u64::MAX), long);
}

#[test]
fn no_documents_make_no_part() {
    assert_eq!(pack(&[]), []);
    let empty = [("/empty".to_owned(), Vec::new())];
    let parts = pack(&empty);
    assert_eq!(everything(&parts, u64::MAX), empty);
    assert!(parts[0].frames.is_empty());
}

#[test]
fn unpacking_stops_at_the_end_of_the_part() {
    let part = pack(&[("/a".to_owned(), noise(100_000, 1))]).remove(0);
    let rest = unpack(&part.directory, &part.frames, 1, 0, u64::MAX).unwrap();
    assert_eq!(rest, noise(100_000, 1)[FRAME..]);
    assert!(unpack(&part.directory, &part.frames, 9, 0, 7).unwrap().is_empty());
    assert!(unpack(&part.directory, &part.frames, u32::MAX, u32::MAX, u64::MAX).unwrap().is_empty());
}

#[test]
fn damage_is_reported() {
    let text = r#"{"id":"x","status":"FINISHED"},"#.repeat(3000);
    let part = pack(&[("/a".to_owned(), text.into_bytes())]).remove(0);
    let unpacked = |part: &Part| unpack(&part.directory, &part.frames, 0, 0, u64::MAX);
    let mut flipped = part.clone();
    let middle = flipped.frames.len() / 2;
    flipped.frames[middle] ^= 1;
    assert_eq!(unpacked(&flipped).unwrap_err().to_string(), "a stored pack is damaged: a frame cannot be decompressed");
    let mut cut = part.clone();
    cut.frames.pop();
    assert_eq!(unpacked(&cut).unwrap_err().0, "the length of its frames differs from its directory");
    let mut later = part.clone();
    later.directory[1] = 99;
    assert_eq!(unpacked(&later).unwrap_err().0, "it needs compression dictionaries that this version of the server does not have");
    let mut format = part;
    format.directory[0] = 9;
    assert_eq!(list(&format.directory).unwrap_err().0, "its directory has an unknown format");
}
