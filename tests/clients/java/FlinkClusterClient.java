import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.client.deployment.StandaloneClusterId;
import org.apache.flink.client.program.rest.RestClusterClient;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.runtime.client.JobStatusMessage;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.rest.messages.job.JobDetailsInfo;
import org.apache.flink.runtime.rest.util.RestClientException;
import org.apache.flink.util.ExceptionUtils;

/**
 * Asks a history server with the client that `flink list` and PyFlink use, which insists on the prefix /v1.
 *
 * <p>usage: FlinkClusterClient BASE_URL JOB_ID_FILE : one "JOB_ID STATE" a line, the jobs that must be there. Details are
 * asked for of all of them except those of Flink 1.x, which are marked "old" (this client cannot read those).
 */
public final class FlinkClusterClient {

    /** The answer for a client that waits for a job: archives hold the result of jobs that did not fail. */
    private static List<String> resultFailures(RestClusterClient<?> client, JobID id, JobStatus status) throws Exception {
        try {
            JobResult result = client.requestJobResult(id).get(60, TimeUnit.SECONDS);
            boolean right = result.getJobStatus().equals(Optional.of(status)) && result.getJobId().equals(id) && result.getNetRuntime() > 0;
            return right ? List.of() : List.of("requestJobResult " + id + ": " + result.getJobStatus() + " instead of " + status);
        } catch (ExecutionException e) {
            int refused = ExceptionUtils.findThrowable(e, RestClientException.class).map(error -> error.getHttpResponseStatus().code()).orElse(0);
            boolean right = status == JobStatus.FAILED && refused == 404;
            return right ? List.of() : List.of("requestJobResult " + id + ": " + e.getCause());
        }
    }

    public static void main(String[] arguments) throws Exception {
        URI base = URI.create(arguments[0]);
        Configuration configuration = new Configuration();
        configuration.set(RestOptions.ADDRESS, base.getHost());
        configuration.set(RestOptions.PORT, base.getPort());
        List<String> failures = new ArrayList<>();
        List<String[]> expected = Files.readAllLines(Path.of(arguments[1])).stream().map(line -> line.split(" ")).toList();

        try (RestClusterClient<StandaloneClusterId> client = new RestClusterClient<>(configuration, StandaloneClusterId.getInstance())) {
            Collection<JobStatusMessage> listed = client.listJobs().get(60, TimeUnit.SECONDS);
            Set<String> listedIds = listed.stream().map(job -> job.getJobId().toString()).collect(Collectors.toCollection(TreeSet::new));
            Set<String> expectedIds = expected.stream().map(job -> job[0]).collect(Collectors.toCollection(TreeSet::new));
            if (!listedIds.equals(expectedIds)) {
                failures.add("listJobs: " + listedIds + " instead of " + expectedIds);
            }

            for (String[] job : expected) {
                JobID id = JobID.fromHexString(job[0]);
                JobStatus status = client.getJobStatus(id).get(60, TimeUnit.SECONDS);
                if (!status.name().equals(job[1])) {
                    failures.add("getJobStatus " + id + ": " + status + " instead of " + job[1]);
                }
                Map<String, Object> accumulators = client.getAccumulators(id, FlinkClusterClient.class.getClassLoader()).get(60, TimeUnit.SECONDS);
                System.out.println(id + " " + status + " " + accumulators);
                failures.addAll(resultFailures(client, id, status));
                if (!List.of(job).contains("old")) {
                    JobDetailsInfo details = client.getJobDetails(id).get(60, TimeUnit.SECONDS);
                    if (!details.getJobId().equals(id) || details.getJobStatus() != status) {
                        failures.add("getJobDetails " + id + ": " + details.getJobId() + " " + details.getJobStatus());
                    }
                }
            }

            String version = client.getClusterOverview().get(60, TimeUnit.SECONDS).getVersion();
            if (!version.startsWith("2.")) {
                failures.add("getClusterOverview: version " + version);
            }

            try {
                client.cancel(JobID.fromHexString(expected.get(0)[0])).get(60, TimeUnit.SECONDS);
                failures.add("cancel: accepted, but a history server is read-only");
            } catch (ExecutionException e) {
                int refused = ExceptionUtils.findThrowable(e, RestClientException.class).map(error -> error.getHttpResponseStatus().code()).orElse(0);
                if (refused != 405) {
                    failures.add("cancel: refused with status " + refused + " instead of 405: " + e.getCause());
                }
            }
        }
        failures.forEach(System.out::println);
        System.out.println(expected.size() + " jobs, " + failures.size() + " failures");
        System.exit(failures.isEmpty() ? 0 : 1);
    }
}
