{{- define "anteroom.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "anteroom.labels" -}}
app.kubernetes.io/name: anteroom
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}
