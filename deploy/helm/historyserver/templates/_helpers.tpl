{{- define "historyserver.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "historyserver.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "historyserver.labels" -}}
{{ include "historyserver.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "historyserver.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "historyserver.name" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "historyserver.image" -}}
{{- with .Values.image }}{{ if .digest }}{{ printf "%s@%s" .repository .digest }}{{ else }}{{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}{{ end }}{{ end }}
{{- end }}

{{/* historyserver.toml. A JSON text, number, switch or list is also one of TOML. */}}
{{- define "historyserver.toml" -}}
{{- $own := list "historyserver.archive.fs.dir" "historyserver.security.authentication" "historyserver.data.dir" "historyserver.web.address" "historyserver.web.port" "historyserver.web.operations-address" "historyserver.web.operations-port" -}}
"historyserver.archive.fs.dir" = {{ toJson .Values.archiveDirectories }}
"historyserver.security.authentication" = {{ toJson .Values.authentication }}
"historyserver.data.dir" = "/var/lib/historyserver"
"historyserver.web.address" = "0.0.0.0"
"historyserver.web.port" = 8082
"historyserver.web.operations-address" = "0.0.0.0"
"historyserver.web.operations-port" = 8083
{{- range $key, $value := .Values.config }}
{{- if has $key $own }}{{ fail (printf "config: %s is set by the chart. Use archiveDirectories and authentication for the directories and the authentication; the rest cannot be changed." $key) }}{{ end }}
{{ toJson $key }} = {{ if kindIs "float64" $value }}{{ if eq (floor $value) $value }}{{ int64 $value }}{{ else }}{{ $value }}{{ end }}{{ else }}{{ toJson $value }}{{ end }}
{{- end }}
{{- end }}
