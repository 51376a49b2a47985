{{- define "x" }}
apiVersion: g/v1
kind: A
{{- end }}
{{ define "y" }}