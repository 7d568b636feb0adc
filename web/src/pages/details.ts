/** The pages that the list leads to, loaded as one script: who opens one of them opens the others too. */
export { default as EmptyList } from '../components/list/EmptyList.svelte';
export { default as ApplicationPage } from './ApplicationPage.svelte';
export { default as ComparePage } from './ComparePage.svelte';
export { default as JobPage } from './JobPage.svelte';
export { default as Missing } from './Missing.svelte';
export { default as RunsPage } from './RunsPage.svelte';
export { default as SearchPage } from './SearchPage.svelte';
export { default as ServerPage } from './ServerPage.svelte';
export { default as StatisticsPage } from './StatisticsPage.svelte';
