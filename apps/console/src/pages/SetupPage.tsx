// First run: the one-time token from the start-up log sets the administrator's password.

import { Anchor, Button, PasswordInput, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';
import { Link, useNavigate } from 'react-router';
import { newPasswordSchema } from '#contract';
import { calls } from '../api/calls.js';
import { openSession } from '../api/session.js';
import { Fault } from '../shell/Fault.js';
import classes from './Entry.module.css';
import { Brand } from './LoginPage.js';

const tokenFromHash = (): string => new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

export function SetupPage() {
  const navigate = useNavigate();
  const [token, setToken] = useState(tokenFromHash);
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const state = useQuery({ queryKey: ['setup'], queryFn: calls.setupState, staleTime: 0 });
  const setUp = useMutation({
    mutationFn: () => calls.setUp(token.trim(), password),
    onSuccess: (answer) => {
      openSession(answer);
      void navigate('/cameras/new', { replace: true });
    },
  });
  useEffect(() => {
    document.title = 'Set up · Nightjar';
    // The token must not stay in the address bar or the history.
    if (tokenFromHash() !== '') history.replaceState(history.state, '', '/setup');
  }, []);
  const short = password !== '' && !newPasswordSchema.safeParse(password).success;
  const differs = again !== '' && again !== password;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!short && again === password) setUp.mutate();
  };
  if (state.data?.needed === false && !setUp.isSuccess) {
    return (
      <main className={classes.root}>
        <div className={classes.card}>
          <Brand />
          <Text size="sm">Nightjar is already set up. The one-time link has done its work.</Text>
          <Button component={Link} to="/login" size="sm">
            Sign in
          </Button>
        </div>
      </main>
    );
  }
  return (
    <main className={classes.root}>
      <form className={classes.card} onSubmit={submit}>
        <Brand />
        <Text size="sm" c="dimmed">
          Choose the password of the first administrator. Its user name is <b>admin</b>.
        </Text>
        <Fault error={state.error} title="Cannot set up yet" onRetry={() => void state.refetch()} />
        {(token === '' || setUp.isError) && (
          <TextInput
            label="Set-up token"
            description="It stands at the end of the set-up link in Nightjar’s start-up log."
            required
            withAsterisk={false}
            value={token}
            onChange={(change) => setToken(change.currentTarget.value)}
            data-testid="setup-token"
          />
        )}
        <PasswordInput
          label="Password"
          description="At least 8 characters. Length matters more than symbols."
          autoComplete="new-password"
          autoFocus
          required
          withAsterisk={false}
          value={password}
          onChange={(change) => setPassword(change.currentTarget.value)}
          error={short ? 'At least 8 characters' : undefined}
          data-testid="setup-password"
        />
        <PasswordInput
          label="Password again"
          autoComplete="new-password"
          required
          withAsterisk={false}
          value={again}
          onChange={(change) => setAgain(change.currentTarget.value)}
          error={differs ? 'The two passwords differ' : undefined}
          data-testid="setup-password-again"
        />
        {setUp.isError && <Fault error={setUp.error} title="Not set up" />}
        <Button
          type="submit"
          size="sm"
          loading={setUp.isPending}
          disabled={token === '' || password === '' || short || again !== password}
          data-testid="setup-submit"
        >
          Set password and sign in
        </Button>
        <Anchor component={Link} to="/login" size="xs" c="dimmed">
          I already have a password
        </Anchor>
      </form>
    </main>
  );
}
