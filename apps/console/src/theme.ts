// The look: one accent on near-black, small type, small radii; colours of state are semantic.

import { createTheme, type CSSVariablesResolver } from '@mantine/core';

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: 6,
  autoContrast: true,
  defaultRadius: 4,
  cursorType: 'pointer',
  focusRing: 'auto',
  fontFamily:
    "'Inter', system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Noto Sans Mono', 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: '11px', sm: '12px', md: '13px', lg: '14px', xl: '16px' },
  headings: {
    fontWeight: '600',
    sizes: { h1: { fontSize: '16px' }, h2: { fontSize: '14px' }, h3: { fontSize: '13px' } },
  },
  spacing: { xs: '6px', sm: '10px', md: '14px', lg: '20px', xl: '28px' },
  colors: {
    accent: [
      '#e6f4fa',
      '#cde6f1',
      '#a7d3e6',
      '#83c3dc',
      '#6fb9d6',
      '#5fb3d4',
      '#4aa3c7',
      '#37859f',
      '#27637a',
      '#194455',
    ],
    dark: [
      '#d5dce3',
      '#aab4be',
      '#87929d',
      '#66717c',
      '#38424c',
      '#28303a',
      '#1b2128',
      '#12161b',
      '#0e1115',
      '#08090b',
    ],
  },
  components: {
    Button: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm' } },
    MultiSelect: { defaultProps: { size: 'sm' } },
    Textarea: { defaultProps: { size: 'sm' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, color: 'dark.6', fz: 12 } },
    Table: {
      defaultProps: {
        fz: 13,
        verticalSpacing: 7,
        horizontalSpacing: 10,
        borderColor: '#222932',
        highlightOnHoverColor: '#181d24',
      },
    },
    Modal: {
      defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.6 } },
      styles: {
        content: { background: '#12161b', border: '1px solid #2a323c' },
        header: { background: '#12161b' },
        title: { fontWeight: 600, fontSize: 14 },
      },
    },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 'md' } },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {
    '--nj-bg': '#0b0d10',
    '--nj-panel': '#12161b',
    '--nj-raised': '#181d24',
    '--nj-line': '#222932',
    '--nj-text': '#d5dce3',
    '--nj-dim': '#87929d',
    '--nj-accent': '#5fb3d4',
    '--nj-ok': '#58b07a',
    '--nj-motion': '#d8a548',
    '--nj-warn': '#d8a548',
    '--nj-bad': '#e2645f',
    '--nj-rec': '#e2645f',
  },
  light: {},
  dark: {
    '--mantine-color-body': '#0b0d10',
    '--mantine-color-error': '#ff8d86',
    // Text of light and subtle buttons: of their colour, not nearly white.
    '--mantine-color-accent-light-color': '#83c3dc',
    '--mantine-color-red-light-color': '#ff9a94',
    '--mantine-color-gray-light-color': '#aab4be',
    '--mantine-color-accent-light': 'rgb(95 179 212 / 15%)',
    '--mantine-color-accent-light-hover': 'rgb(95 179 212 / 24%)',
    '--mantine-color-red-light': 'rgb(226 100 95 / 15%)',
    '--mantine-color-red-light-hover': 'rgb(226 100 95 / 24%)',
    '--mantine-color-yellow-light': 'rgb(216 165 72 / 14%)',
    '--mantine-color-yellow-light-color': '#ecc578',
    '--mantine-color-text': '#d5dce3',
    '--mantine-color-dimmed': '#87929d',
    '--mantine-color-default': '#181d24',
    '--mantine-color-default-hover': '#1f252d',
    '--mantine-color-default-border': '#2a323c',
  },
});
