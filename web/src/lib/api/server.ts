/** Short names for the types of the server's own API, which are generated from its OpenAPI document. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type ServerStatus = Schemas['Status'];
export type Directory = Schemas['DirectoryStatus'];
export type Problem = Schemas['Problem'];
export type Readiness = Schemas['Readiness'];
export type HeldCleanup = Schemas['HeldCleanup'];

export type ApplicationItem = Schemas['ApplicationItem'];
export type JobItem = Schemas['JobItem'];
/** One row of the list of applications or of jobs. */
export type Item = ApplicationItem | JobItem;
export type ItemPage = Schemas['ApplicationPage'] | Schemas['JobPage'];
/** One run of a name, with its figures. */
export type JobRun = Schemas['JobRun'];
export type Run = Schemas['ApplicationRun'] | JobRun;
export type RunPage = Schemas['ApplicationRunPage'] | Schemas['JobRunPage'];
export type ApplicationDetails = Schemas['ApplicationDetails'];
export type JobDetails = Schemas['JobDetails'];
export type JobFacts = Schemas['JobFacts'];
export type JobComparison = Schemas['JobComparison'];
export type ConfigurationDifference = Schemas['ConfigurationDifference'];
export type VertexDifference = Schemas['VertexDifference'];
export type VertexFigures = Schemas['VertexFigures'];
export type ListTotal = Schemas['ListTotal'];
export type FacetCounts = Schemas['FacetCounts'];
export type Statistics = Schemas['TimeStatistics'];
export type StatisticsBucket = Schemas['StatisticsBucket'];
export type FailureClass = Schemas['FailureClass'];
export type FailingRuns = Schemas['FailingRuns'];
export type ProblemPage = Schemas['ProblemPage'];
export type Removals = Schemas['Record'];
export type Removal = Schemas['Removal'];
export type RemovedUnit = Schemas['RemovedUnit'];
export type Preview = Schemas['Preview'];
export type PendingRemoval = Schemas['PendingRemoval'];
export type DocumentPage = Schemas['DocumentPage'];
export type TaskPage = Schemas['TaskPage'];
export type Task = Schemas['Task'];
export type SearchItem = Schemas['SearchItem'];
export type SearchResults = Schemas['SearchResults'];
