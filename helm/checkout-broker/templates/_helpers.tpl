{{- define "checkout-broker.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* 54: "-internal" follows in the name of a Service, which has 63 characters at most. */}}
{{- define "checkout-broker.fullname" -}}
{{- $name := include "checkout-broker.name" . }}
{{- $scoped := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- default $scoped .Values.fullnameOverride | trunc 54 | trimSuffix "-" }}
{{- end }}

{{- define "checkout-broker.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "checkout-broker.selectorLabels" -}}
app.kubernetes.io/name: {{ include "checkout-broker.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{- define "checkout-broker.labels" -}}
{{ include "checkout-broker.selectorLabels" . }}
{{ include "checkout-broker.commonLabels" . }}
{{- end }}

{{- define "checkout-broker.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "checkout-broker.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "checkout-broker.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- define "checkout-broker.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.uid }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
fsGroup: {{ int64 . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "checkout-broker.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* What no schema can say: which values exclude one another. */}}
{{- define "checkout-broker.check" -}}
{{- $several := or (gt (int .Values.replicas) 1) .Values.autoscaling.enabled }}
{{- if and $several (not .Values.store.url) }}
{{- fail "more than one pod needs a store that they share: set store.url, or replicas: 1 and autoscaling.enabled: false" }}
{{- end }}
{{- if not (or .Values.config .Values.existingConfigMap) }}
{{- fail "there is no configuration: use --set-file config=checkout.toml, or name a ConfigMap in existingConfigMap" }}
{{- end }}
{{- if and .Values.config .Values.existingConfigMap }}
{{- fail "config and existingConfigMap exclude one another: set one of them" }}
{{- end }}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) }}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas" }}
{{- end }}
{{- if le (int .Values.terminationGracePeriodSeconds) (int .Values.preStopSeconds) }}
{{- fail "terminationGracePeriodSeconds must be more than preStopSeconds and drain_seconds together" }}
{{- end }}
{{- if eq (int .Values.port) (int .Values.internalPort) }}
{{- fail "port and internalPort must differ" }}
{{- end }}
{{- $named := regexFind "(?m)^[^#\n]*\\binternal_port\\s*=\\s*[0-9]+" .Values.config | regexFind "[0-9]+$" }}
{{- if and .Values.config (ne (int .Values.internalPort) (int $named)) }}
{{- fail (printf "internalPort is %d, but [server] internal_port in config is %d (0: not set); they must be the same" (int .Values.internalPort) (int $named)) }}
{{- end }}
{{- end }}
