//! A scope limits all reads to its archive directories.

use historyserver::archive::Owner;
use historyserver::index::query::{Filter, ListKind, ListQuery, Scope, Sort, SortKey};
use historyserver::index::{CopySelector, DocumentAnswer, DocumentList, DocumentPage, OverviewList, ProblemFilter};

use crate::support::archives::{id, write, write_application};
use crate::support::served::Served;

#[tokio::test]
async fn flinks_lists_and_the_figures_are_limited_to_the_scope() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let both = [one.path().to_path_buf(), other.path().to_path_buf()];
    for (folder, digit) in both.iter().zip(['1', '2']) {
        write_application(folder, "eu", &id(digit), "orders", 1_000, &[&id(digit)]);
        write(&folder.join(id('f')), "no archive");
    }
    write_application(&both[1], "eu", &id('3'), "more", 1_000, &[&id('3')]);
    let server = Served::over(&both).await;
    let directory = server.json(&format!("/api/v1/applications/{}", id('1'))).await["directory"].as_str().unwrap().to_owned();
    for (scope, expected, problems) in [
        (Scope::of_directories([directory]), vec![id('1')], 1),
        (Scope::everything(), vec![id('1'), id('2'), id('3')], 2),
        (Scope::of_directories(["file:///elsewhere".to_owned()]), vec![], 0),
    ] {
        let reader = server.world.reader.scoped(scope);
        for list in [OverviewList::Applications, OverviewList::Jobs] {
            let (sender, rows) = std::sync::mpsc::channel();
            reader
                .overview(list, move |row| {
                    sender.send(row.to_owned()).unwrap();
                    std::ops::ControlFlow::Continue(())
                })
                .await
                .unwrap();
            let rows: Vec<String> = rows.into_iter().collect();
            assert_eq!(rows.len(), expected.len(), "{rows:?}");
            assert!(rows.iter().zip(&expected).all(|(row, id)| row.contains(id)), "{rows:?}");
        }
        let ids: Vec<String> = reader.job_ids().await.unwrap().into_iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(ids, expected);
        let counted: u64 = reader.job_states().await.unwrap().into_iter().map(|(_, jobs)| jobs).sum();
        let figures = reader.figures().await.unwrap();
        let listed = expected.len() as u64;
        assert_eq!((counted, figures.applications, figures.jobs, figures.problems), (listed, listed, listed, problems));
        let counts = reader.problem_counts().await.unwrap();
        assert_eq!(counts.into_iter().map(|(.., count)| count).sum::<u64>(), problems);
        for digit in ['1', '2', '3'] {
            let owner = Owner::Job(id(digit).parse().unwrap());
            let overview = reader.overview_of(owner, &CopySelector::default()).await.unwrap();
            assert_eq!(overview.is_some(), expected.contains(&id(digit)), "{digit}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn lists_counts_searches_and_documents_are_limited_to_the_scope() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let both = [one.path().to_path_buf(), other.path().to_path_buf()];
    for (folder, digit) in both.iter().zip(['1', '2']) {
        write_application(folder, "eu", &id(digit), "orders", 1_000, &[]);
        // The same id in both directories.
        write_application(folder, "eu", &id('a'), "payments", 1_000, &[]);
        write(&folder.join(id('f')), "no archive");
    }
    let server = Served::over(&both).await;
    let directory = server.json(&format!("/api/v1/applications/{}", id('1'))).await["directory"].as_str().unwrap().to_owned();
    let reader = server.world.reader.scoped(Scope::of_directories([directory.clone()]));
    let list = ListQuery {
        kind: ListKind::Applications,
        filter: Filter::default(),
        sort: Sort { key: SortKey::Name, descending: false },
        limit: 10,
        cursor: None,
    };
    let page = reader.page(list).await.unwrap();
    assert_eq!(page.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), [id('1'), id('a')]);
    let (problems, total) = reader.problem_page(ProblemFilter::default(), None, 10).await.unwrap();
    assert_eq!((problems.rows.len(), total.count), (1, 1));
    assert_eq!(problems.rows[0].subject.directory.to_string(), directory);
    let named = ProblemFilter { directories: vec!["file:///elsewhere".to_owned()], ..ProblemFilter::default() };
    assert!(reader.problem_page(named, None, 10).await.unwrap().0.rows.is_empty());

    let whole = server.world.reader.scoped(Scope::everything());
    for (digit, seen) in [('1', true), ('2', false), ('a', true)] {
        let owner = Owner::Application(id(digit).parse().unwrap());
        let path = format!("/applications/{}", id(digit));
        let everywhere = whole.document(owner, &path, &CopySelector::default()).await.unwrap();
        assert!(matches!(everywhere, DocumentAnswer::Found(_)), "{digit}");
        let found = reader.document(owner, &path, &CopySelector::default()).await.unwrap();
        assert_eq!(matches!(found, DocumentAnswer::Found(_)), seen, "{digit}");
        if let DocumentAnswer::Found(document) = found {
            assert_eq!(reader.document_piece(&document, 0, usize::MAX).await.unwrap().len() as u64, document.length, "{digit}");
        }
        let query = DocumentPage { owner, copy: CopySelector::default(), own: false, cursor: None, limit: 10 };
        match reader.document_page(query).await.unwrap() {
            DocumentList::Page(unit, _) => assert_eq!((unit.directory().to_string(), seen), (directory.clone(), true), "{digit}"),
            _ => assert!(!seen, "{digit}"),
        }
        let files = reader.unit_archives(owner, &CopySelector::default()).await.unwrap();
        assert_eq!(files.map(|files| files.files[0].unit.directory().to_string()), seen.then(|| directory.clone()), "{digit}");
    }
    server.stop().await;
}
