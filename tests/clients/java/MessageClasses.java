import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.flink.runtime.rest.messages.ApplicationsOverviewHeaders;
import org.apache.flink.runtime.rest.messages.ClusterOverviewHeaders;
import org.apache.flink.runtime.rest.messages.DashboardConfigurationHeaders;
import org.apache.flink.runtime.rest.messages.ErrorResponseBody;
import org.apache.flink.runtime.rest.messages.JobAccumulatorsHeaders;
import org.apache.flink.runtime.rest.messages.JobConfigHeaders;
import org.apache.flink.runtime.rest.messages.JobExceptionsHeaders;
import org.apache.flink.runtime.rest.messages.JobIdsWithStatusesOverviewHeaders;
import org.apache.flink.runtime.rest.messages.JobManagerLogUrlHeaders;
import org.apache.flink.runtime.rest.messages.JobPlanHeaders;
import org.apache.flink.runtime.rest.messages.JobVertexDetailsHeaders;
import org.apache.flink.runtime.rest.messages.JobVertexTaskManagersHeaders;
import org.apache.flink.runtime.rest.messages.JobsOverviewHeaders;
import org.apache.flink.runtime.rest.messages.MessageHeaders;
import org.apache.flink.runtime.rest.messages.SubtasksTimesHeaders;
import org.apache.flink.runtime.rest.messages.TaskManagerLogUrlHeaders;
import org.apache.flink.runtime.rest.messages.application.ApplicationDetailsHeaders;
import org.apache.flink.runtime.rest.messages.application.ApplicationExceptionsHeaders;
import org.apache.flink.runtime.rest.messages.application.JobManagerApplicationConfigurationHeaders;
import org.apache.flink.runtime.rest.messages.checkpoints.CheckpointConfigHeaders;
import org.apache.flink.runtime.rest.messages.checkpoints.CheckpointStatisticDetailsHeaders;
import org.apache.flink.runtime.rest.messages.checkpoints.CheckpointingStatisticsHeaders;
import org.apache.flink.runtime.rest.messages.checkpoints.TaskCheckpointStatisticsHeaders;
import org.apache.flink.runtime.rest.messages.job.JobDetailsHeaders;
import org.apache.flink.runtime.rest.messages.job.JobManagerJobConfigurationHeaders;
import org.apache.flink.runtime.rest.messages.job.JobManagerJobEnvironmentHeaders;
import org.apache.flink.runtime.rest.messages.job.JobStatusInfoHeaders;
import org.apache.flink.runtime.rest.messages.job.SubtaskExecutionAttemptAccumulatorsHeaders;
import org.apache.flink.runtime.rest.messages.job.SubtaskExecutionAttemptDetailsHeaders;
import org.apache.flink.runtime.rest.messages.job.rescales.JobRescaleConfigHeaders;
import org.apache.flink.runtime.rest.messages.job.rescales.JobRescaleDetailsHeaders;
import org.apache.flink.runtime.rest.messages.job.rescales.JobRescalesHistoryHeaders;
import org.apache.flink.runtime.rest.messages.job.rescales.JobRescalesOverviewHeaders;
import org.apache.flink.runtime.rest.messages.job.rescales.JobRescalesSummaryHeaders;
import org.apache.flink.runtime.rest.util.RestMapperUtils;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JavaType;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/**
 * Parses what a history server answers with Flink's own message classes and its strict REST object mapper.
 *
 * <p>usage: MessageClasses BASE_URL ARCHIVE_DIRECTORY... [--older ARCHIVE_DIRECTORY...] : asks for every document archived
 * in these directories and for what a history server answers besides, and ends with a list of what did not parse. Documents
 * of older directories are parsed with Flink's flexible mapper: Flink 2 dropped members that Flink 1 wrote.
 */
public final class MessageClasses {

    /** Flink's paths and the class of their answers, as its own REST client takes them. */
    private static final List<MessageHeaders<?, ?, ?>> HEADERS =
            List.of(
                    ApplicationsOverviewHeaders.getInstance(),
                    ApplicationDetailsHeaders.getInstance(),
                    ApplicationExceptionsHeaders.getInstance(),
                    JobManagerApplicationConfigurationHeaders.getInstance(),
                    ClusterOverviewHeaders.getInstance(),
                    DashboardConfigurationHeaders.getInstance(),
                    JobsOverviewHeaders.getInstance(),
                    JobIdsWithStatusesOverviewHeaders.getInstance(),
                    JobDetailsHeaders.getInstance(),
                    JobStatusInfoHeaders.getInstance(),
                    JobConfigHeaders.getInstance(),
                    JobPlanHeaders.getInstance(),
                    JobExceptionsHeaders.getInstance(),
                    JobAccumulatorsHeaders.getInstance(),
                    JobManagerJobConfigurationHeaders.getInstance(),
                    JobManagerJobEnvironmentHeaders.getInstance(),
                    JobManagerLogUrlHeaders.getInstance(),
                    TaskManagerLogUrlHeaders.getInstance(),
                    CheckpointConfigHeaders.getInstance(),
                    CheckpointingStatisticsHeaders.getInstance(),
                    CheckpointStatisticDetailsHeaders.getInstance(),
                    TaskCheckpointStatisticsHeaders.getInstance(),
                    JobVertexDetailsHeaders.getInstance(),
                    JobVertexTaskManagersHeaders.getInstance(),
                    SubtasksTimesHeaders.getInstance(),
                    SubtaskExecutionAttemptDetailsHeaders.getInstance(),
                    SubtaskExecutionAttemptAccumulatorsHeaders.getInstance(),
                    JobRescaleConfigHeaders.getInstance(),
                    JobRescalesOverviewHeaders.getInstance(),
                    JobRescalesSummaryHeaders.getInstance(),
                    JobRescalesHistoryHeaders.getInstance(),
                    JobRescaleDetailsHeaders.getInstance());

    private static final ObjectMapper STRICT = RestMapperUtils.getStrictObjectMapper();
    private static final ObjectMapper FLEXIBLE = RestMapperUtils.getFlexibleObjectMapper();

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Map<String, MessageHeaders<?, ?, ?>> byPattern = new LinkedHashMap<>();
    private final Map<String, Integer> parsed = new TreeMap<>();
    private final List<String> failures = new ArrayList<>();
    private final String base;

    private MessageClasses(String base) {
        this.base = base;
        // A path without parameters before one that has some: /jobs/overview is no job.
        HEADERS.stream()
                .sorted(Comparator.comparing(headers -> headers.getTargetRestEndpointURL().contains(":")))
                .forEach(headers -> byPattern.put(pattern(headers.getTargetRestEndpointURL()), headers));
    }

    public static void main(String[] arguments) throws Exception {
        MessageClasses check = new MessageClasses(arguments[0]);
        List<String> directories = List.of(arguments).subList(1, arguments.length);
        int older = directories.contains("--older") ? directories.indexOf("--older") : directories.size();
        Set<String> paths = new LinkedHashSet<>(List.of("/config", "/overview", "/jobs", "/jobs/overview", "/applications/overview"));
        for (String directory : directories.subList(0, older)) {
            paths.addAll(archivedPaths(Path.of(directory)));
        }
        Set<String> olderPaths = new LinkedHashSet<>();
        for (String directory : directories.subList(Math.min(older + 1, directories.size()), directories.size())) {
            olderPaths.addAll(archivedPaths(Path.of(directory)));
        }
        for (String job : Stream.of(paths, olderPaths).flatMap(Set::stream).filter(path -> path.matches("/jobs/[0-9a-f]{32}")).toList()) {
            paths.addAll(List.of(job + "/status", job + "/jobmanager/log-url", job + "/taskmanagers/127.0.0.1:36243-f72fa3/log-url"));
        }
        // These two have members without which, or with which, their classes of Flink 2 refuse them.
        olderPaths.removeIf(path -> paths.contains(path) || path.matches("/jobs/[0-9a-f]{32}(/config)?"));
        for (String path : paths) {
            check.ask(path, STRICT);
        }
        for (String path : olderPaths) {
            check.ask(path, FLEXIBLE);
        }
        for (MessageHeaders<?, ?, ?> headers : HEADERS) {
            String name = headers.getResponseClass().getSimpleName();
            if (!check.parsed.containsKey(name)) {
                check.failures.add("no answer was parsed as " + name + " (" + headers.getTargetRestEndpointURL() + ")");
            }
        }
        System.out.println(check.parsed);
        check.failures.stream().limit(40).forEach(System.out::println);
        System.out.println(paths.size() + olderPaths.size() + " answers, " + check.failures.size() + " failures");
        System.exit(check.failures.isEmpty() ? 0 : 1);
    }

    /** `/jobs/:jobid/plan` as a regular expression over whole paths. */
    private static String pattern(String url) {
        return Stream.of(url.split("/")).map(segment -> segment.startsWith(":") ? "[^/]+" : Pattern.quote(segment)).reduce((a, b) -> a + "/" + b).orElseThrow();
    }

    private static Set<String> archivedPaths(Path directory) throws IOException {
        Set<String> paths = new LinkedHashSet<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                for (JsonNode entry : STRICT.readTree(file.toFile()).get("archive")) {
                    paths.add(entry.get("path").asText());
                }
            }
        }
        return paths;
    }

    private void ask(String path, ObjectMapper mapper) throws Exception {
        HttpResponse<String> answer = http.send(HttpRequest.newBuilder(URI.create(base + path)).build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            failures.add(path + ": status " + answer.statusCode() + " " + answer.body());
            return;
        }
        MessageHeaders<?, ?, ?> headers = byPattern.entrySet().stream().filter(entry -> path.matches(entry.getKey())).map(Map.Entry::getValue).findFirst().orElse(null);
        if (headers == null) {
            failures.add(path + ": no message class of Flink is known for this path");
            return;
        }
        try {
            // Flink archives the error of a handler in place of its answer: no checkpointing, no adaptive scheduler.
            if (answer.body().startsWith("{\"errors\"")) {
                mapper.readValue(answer.body(), ErrorResponseBody.class);
                return;
            }
            JavaType type =
                    headers.getResponseTypeParameters().isEmpty()
                            ? mapper.constructType(headers.getResponseClass())
                            : mapper.getTypeFactory().constructParametricType(headers.getResponseClass(), headers.getResponseTypeParameters().toArray(Class[]::new));
            mapper.readValue(answer.body(), type);
            parsed.merge(headers.getResponseClass().getSimpleName(), 1, Integer::sum);
        } catch (IOException | RuntimeException e) {
            failures.add(path + " as " + headers.getResponseClass().getSimpleName() + ": " + String.valueOf(e.getMessage()).split("\n")[0]);
        }
    }
}
