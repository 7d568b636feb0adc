/** The pages that the list leads to, and the parts of the list that open later. They are one script, which is loaded while the list is read. */
import { startPlacer } from '../lib/layout/placer';

export { default as Facets } from '../components/list/Facets.svelte';
export { default as EmptyList } from '../components/list/EmptyList.svelte';
export { default as ListActions } from '../components/list/ListActions.svelte';
export { default as SavedViews } from '../components/list/SavedViews.svelte';
export { default as Progress } from '../components/list/Progress.svelte';
export { default as TimeChoices } from '../components/list/TimeChoices.svelte';
export { default as ApplicationPage } from './ApplicationPage.svelte';
export { default as ComparePage } from './ComparePage.svelte';
export { default as JobPage } from './JobPage.svelte';
export { default as Missing } from './Missing.svelte';
export { default as RunsPage } from './RunsPage.svelte';
export { default as SearchPage } from './SearchPage.svelte';
export { default as ServerPage } from './ServerPage.svelte';
export { default as StatisticsPage } from './StatisticsPage.svelte';

// A worker takes some time to start. The next page may have a graph.
startPlacer();
