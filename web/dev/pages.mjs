// Every page and tab, with an archive that has data for it.
const J = (id, rest) => `/job/completed/${id}/${rest}`;
const A = (id, rest) => `/application/completed/${id}/${rest}`;

export const IDS = {
  failing: '2e43e6f39fc88a24eca6e4a590f093ae',
  streaming: '0d6f4f6e8da5b7e7a3551550ff16c873',
  savepoint: 'e92bcf91f790a61e444960dbe82b3d4a',
  rescaled: '07ac2d4d82b8e3f0fd1a35b9888ae429',
  wide: '8312a078be8259239335c968e2a6c914',
  batch: '339999040435e1de73b9f93c7d459c5a',
  hostile: 'b1c81783707754ae517ea5a4760dbcd1',
  accumulators: 'e1d9deddd549db7452c9b05e92316734',
  legacyFailing: '231ca9eda182b5e0c291bb541c0c87c8',
  legacyStreaming: '43965a3895435045cf09f9c64c56e27f',
  pending: '2151c787c941daa88a007f5230e7d375',
  mixedApplication: '9223bba4dd77432623bfe32c8ce22282',
  mainThrew: 'f1898ed7fcedaa1cb44070ffbab23964',
  legacyBatch: '79eb47759991d2da768adf0c2edcee76',
  hostileBefore: '97e64afe56d154c5ef33d6bd2ea42fe0',
};

/** The address of a comparison of two jobs. */
const compare = (left, right, rest = {}) => `/compare/jobs?${new URLSearchParams({ left, right, ...rest })}`;

/** The name of two jobs, one of them of an older version. */
export const TWICE = "Ünïcødé \"double\" 'single' a/b\\c <script>alert(1)</script> & 日本語 🚀 %2F ../x?y#z\ttab ls";

export const PAGES = [
  { name: 'applications', hash: '/application/completed' },
  { name: 'applications-failed', hash: '/application/completed?status=FAILED&sort=name' },
  { name: 'applications-none', hash: '/application/completed?name=nothing+is+called+so' },
  { name: 'jobs', hash: '/job/completed' },
  { name: 'application', hash: A(IDS.mixedApplication, 'overview') },
  { name: 'application-threw', hash: A(IDS.mainThrew, 'overview') },
  { name: 'application-exceptions', hash: A(IDS.mixedApplication, 'exceptions') },
  { name: 'application-configuration', hash: A(IDS.mixedApplication, 'configuration') },
  { name: 'job', hash: J(IDS.batch, 'overview') },
  { name: 'job-failed', hash: J(IDS.failing, 'overview') },
  { name: 'job-wide', hash: J(IDS.wide, 'overview') },
  { name: 'job-pending', hash: J(IDS.pending, 'overview') },
  { name: 'job-hostile', hash: J(IDS.hostile, 'overview') },
  { name: 'vertex', hash: J(IDS.failing, 'overview/20ba6b65f97481d5570070de90e4e791/detail') },
  { name: 'vertex-subtasks', hash: J(IDS.failing, 'overview/20ba6b65f97481d5570070de90e4e791/subtasks') },
  { name: 'vertex-subtasks-wide', hash: J(IDS.wide, 'overview/0a448493b4782967b150582570326227/subtasks') },
  { name: 'vertex-taskmanagers', hash: J(IDS.failing, 'overview/20ba6b65f97481d5570070de90e4e791/taskmanagers') },
  { name: 'exceptions', hash: J(IDS.failing, 'exceptions') },
  { name: 'exceptions-legacy', hash: J(IDS.legacyFailing, 'exceptions') },
  { name: 'timeline', hash: J(IDS.batch, 'timeline') },
  { name: 'timeline-wide', hash: J(IDS.wide, 'timeline?vertex=0a448493b4782967b150582570326227') },
  { name: 'checkpoints', hash: J(IDS.savepoint, 'checkpoints') },
  { name: 'checkpoints-history', hash: J(IDS.savepoint, 'checkpoints?view=history&checkpoint=13') },
  { name: 'checkpoints-summary', hash: J(IDS.savepoint, 'checkpoints?view=summary') },
  { name: 'checkpoints-configuration', hash: J(IDS.savepoint, 'checkpoints?view=configuration') },
  { name: 'configuration', hash: J(IDS.hostile, 'configuration') },
  { name: 'rescales', hash: J(IDS.rescaled, 'rescales') },
  { name: 'rescales-history', hash: J(IDS.rescaled, 'rescales?view=history') },
  { name: 'rescales-summary', hash: J(IDS.rescaled, 'rescales?view=summary') },
  { name: 'rescales-configuration', hash: J(IDS.rescaled, 'rescales?view=configuration') },
  { name: 'cluster', hash: J(IDS.failing, 'cluster_configuration') },
  { name: 'search', hash: '/search?q=disk&status=FAILED' },
  { name: 'search-none', hash: '/search?q=nothingiscalledso' },
  { name: 'search-empty', hash: '/search' },
  { name: 'runs', hash: `/runs/jobs?${new URLSearchParams({ name: TWICE })}` },
  { name: 'runs-failed', hash: '/runs/jobs?name=legacy+failing' },
  { name: 'runs-none', hash: '/runs/applications?name=nothing+is+called+so' },
  { name: 'compare', hash: compare(IDS.legacyFailing, IDS.wide) },
  { name: 'compare-differences', hash: compare(IDS.legacyBatch, IDS.batch, { only: 'differences' }) },
  { name: 'compare-choose', hash: compare(IDS.failing, 'no id') },
  { name: 'statistics', hash: '/statistics?period=7d' },
  { name: 'server', hash: '/server' },
  { name: 'unknown', hash: '/no/such/page' },
];
