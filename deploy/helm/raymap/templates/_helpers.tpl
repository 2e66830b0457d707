{{- define "raymap.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "raymap.selector" -}}
app.kubernetes.io/name: raymap
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "raymap.labels" -}}
{{ include "raymap.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "raymap.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* What all pods have: no privileges, a root that cannot be written, no token of the cluster. */}}
{{- define "raymap.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "raymap.container" -}}
image: {{ include "raymap.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "raymap.env" -}}
- name: RAYMAP_CLICKHOUSE
  valueFrom:
    secretKeyRef:
      name: {{ required "clickhouse.secret: the secret with the URL of ClickHouse" .Values.clickhouse.secret }}
      key: {{ .Values.clickhouse.key }}
- name: RAYMAP_AUTH_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ required "auth.secret: a secret of 32 characters or more" .Values.auth.secret }}
      key: {{ .Values.auth.key }}
- name: RAYMAP_AUTH
  value: {{ .Values.auth.mode | quote }}
- name: RAYMAP_HOST
  value: "0.0.0.0"
{{- if ne .Values.auth.mode "on" }}
- name: RAYMAP_INSECURE
  value: "1"
{{- end }}
{{- with .Values.redact }}
- name: RAYMAP_REDACT
  value: {{ toJson . | quote }}
{{- end }}
{{- with .Values.ingress.host }}
- name: RAYMAP_ALLOWED_HOST
  value: {{ . | quote }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Probes of a process that is sent what its role says: read or receive. */ -}}
{{- define "raymap.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: "/readyz?role={{ . }}", port: http}
  periodSeconds: 5
{{- end -}}
